"""A call that pauses at points of its own and continues when it is resumed."""

from collections.abc import Callable
from threading import Semaphore, Thread

__all__ = ["Pausing"]


class Pausing:
    """A call on a thread of its own that runs only while somebody waits for it.

    SciPy's optimisers cannot be interrupted and continued without losing their state (the trust
    region, the curvature). On a thread of its own an optimiser can wait inside the function that it
    minimises.
    """

    def __init__(self, call: Callable[[], None]):
        self._call = call
        self._thread: Thread | None = None
        self._go, self._paused = Semaphore(0), Semaphore(0)
        self._error: BaseException | None = None
        self.ended = False

    def resume(self) -> None:
        """Start or continue the call until it pauses or ends; raise its exception if it has one."""
        if self.ended:
            return
        if self._thread is None:
            self._thread = Thread(target=self._run, daemon=True)
            self._thread.start()
        else:
            self._go.release()
        self._paused.acquire()
        if self.ended:
            self._thread.join()
        if self._error is not None:
            raise self._error

    def pause(self) -> None:
        """Wait for the next :meth:`resume`; for the call itself."""
        self._paused.release()
        self._go.acquire()

    @property
    def waiting(self) -> bool:
        """Whether the call has begun and has not ended."""
        return self._thread is not None and not self.ended

    def _run(self):
        try:
            self._call()
        except BaseException as error:
            self._error = error
        self.ended = True
        self._paused.release()
