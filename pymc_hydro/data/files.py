"""Files that are whole or not there."""

import errno
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["complete_file"]


OVERHEAD = 1 << 17  # bytes of a file beside its numbers


@contextmanager
def complete_file(path: Path, private: bool = False, size: int | None = None) -> Iterator[Path]:
    """Yield a temporary path beside `path` that takes its place when all went well.

    Parameters
    ----------
    path : Path
    private : bool
        A private file can be read by the user alone, any other by everyone.
    size : int, optional
        Bytes of numbers that will be written: whether there is room for them is tried first, as
        HDF5 ends the process where a disk is full.

    Raises
    ------
    OSError
        If the disk is full or cannot be written.
    """
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.stem}-", suffix=path.suffix)
    temporary = Path(name)
    try:
        try:
            if size is not None:
                _reserve(handle, temporary, size + OVERHEAD)
        finally:
            os.close(handle)
        yield temporary
        if not private:
            temporary.chmod(0o644)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _reserve(handle: int, path: Path, size: int) -> None:
    """Raise OSError if a disk has no room for a file of so many bytes."""
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(handle, 0, size)
        os.ftruncate(handle, 0)
    elif shutil.disk_usage(path.parent).free < size:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
