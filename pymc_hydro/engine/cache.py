"""A private cache of compiled kernels on disk.

Each entry is a file in a directory that belongs to the user alone (mode 0700). An entry is machine
code. It is signed with a key that never leaves the directory: an entry that was cut short, altered
or brought from elsewhere fails the check, and the kernel is compiled anew. If there is no private
directory, kernels stay in memory and one warning says so.

The directory is ``$PYMC_HYDRO_CACHE``, or ``pymc_hydro`` in the user's cache directory.
"""

import contextlib
import hashlib
import hmac
import logging
import os
import pickle
import secrets
import stat
import sys
import warnings
from pathlib import Path

import numba
from numba.core import compiler, event, serialize
from numba.core.caching import _Cache

from pymc_hydro.core.base.display import shows_motion
from pymc_hydro.data.files import complete_file

__all__ = ["KernelCache", "cache_directory"]

logger = logging.getLogger("pymc_hydro")

FORMAT = 2  # raise it when entries of earlier versions can no longer be loaded
SIGNATURE_BYTES = hashlib.sha256().digest_size
KEY_NAME = "key"
_warned: set[str] = set()


def cache_directory() -> Path:
    """Return the directory in which compiled kernels are kept; it need not exist."""
    chosen = os.environ.get("PYMC_HYDRO_CACHE")
    if chosen:
        return Path(chosen)
    if sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    elif os.name == "nt":
        base = Path(os.environ.get("LOCALAPPDATA", Path.home()))
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base / "pymc_hydro"


def _private(path: Path, kind: int) -> bool:
    """Return whether a path is of the given kind, belongs to the user and is closed to others."""
    found = path.lstat()
    if stat.S_IFMT(found.st_mode) != kind:
        return False
    return os.name == "nt" or (found.st_uid == os.getuid() and not found.st_mode & 0o077)


def _open_directory() -> tuple[Path, bytes]:
    """Return the cache directory and its key; make them if needed, or raise OSError."""
    directory = cache_directory()
    directory.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(FileExistsError):
        directory.mkdir(mode=0o700)
    if not _private(directory, stat.S_IFDIR):
        raise PermissionError(f"{directory} must be a directory of yours with mode 0700")
    key_file = directory / KEY_NAME
    if not key_file.exists():
        with complete_file(key_file, private=True) as path:
            path.write_bytes(secrets.token_bytes(32))
    if not _private(key_file, stat.S_IFREG):
        raise PermissionError(f"{key_file} must be a file of yours with mode 0600")
    if not os.access(directory, os.W_OK):
        raise PermissionError(f"{directory} is not writable")
    return directory, key_file.read_bytes()


class _Spinner(event.Listener):
    """A line that moves while Numba compiles a kernel and what the kernel calls."""

    def __init__(self):
        self.line, self.depth = None, 0

    def on_start(self, event):
        if self.line is not None:
            self.depth += 1

    def on_end(self, event):
        if self.line is not None:
            self.depth -= 1
            if not self.depth:
                self.line.stop()
                self.line = None


_spinner = _Spinner()
event.register("numba:compile", _spinner)


def _announce(text: str) -> None:
    """Say that a compilation begins. Ten silent seconds look like a hang.

    In a console or a notebook a line moves until the compilation ends. Elsewhere there is a
    warning, which is shown even without logging set up.
    """
    from rich.console import Console

    console = Console(stderr=True)
    if not shows_motion(console):
        logger.warning(text)
    elif _spinner.line is None:
        _spinner.line = console.status(text)
        _spinner.line.start()


class KernelCache(_Cache):
    """Cache of one kernel; it takes the place of the cache that Numba gives to a function.

    Parameters
    ----------
    content : str
        Hash of the text of the kernel.
    label : str
        Name of the kernel in messages.
    """

    def __init__(self, content: str, label: str):
        self.content, self.label = content, label
        self.hits = 0
        self._directory: Path | None = None
        try:
            self._directory, self._key = _open_directory()
        except OSError as error:
            if str(error) not in _warned:
                _warned.add(str(error))
                warnings.warn(
                    f"pymc_hydro keeps compiled kernels in memory only, each process compiles them "
                    f"anew: {error}. Set PYMC_HYDRO_CACHE to a private directory of yours.",
                    stacklevel=2,
                )

    def _entry(self, signature, target) -> Path:
        assert self._directory is not None
        codegen = target.codegen().magic_tuple() if hasattr(target, "codegen") else target
        parts = (
            FORMAT,
            self.content,
            str(signature),
            repr(codegen),
            numba.__version__,
            sys.version,
        )
        return self._directory / (hashlib.sha256(repr(parts).encode()).hexdigest() + ".kernel")

    def load_overload(self, sig, target_context):
        """Return the compiled function, or None where there is no entry that can be loaded."""
        if self._directory is not None:
            entry = self._entry(sig, target_context)
            try:
                data = (
                    entry.read_bytes() if entry.exists() and _private(entry, stat.S_IFREG) else b""
                )
            except OSError:
                data = b""
            signature, payload = data[:SIGNATURE_BYTES], data[SIGNATURE_BYTES:]
            if payload and hmac.compare_digest(signature, self._sign(entry, payload)):
                target_context.refresh()
                try:
                    result = compiler.CompileResult._rebuild(target_context, *pickle.loads(payload))
                except Exception as error:  # sound, but written by another version of the package
                    reason = f"{type(error).__name__}: {error}".splitlines()[0]
                    logger.warning(
                        "cache entry of %s is of another version (%s); compiling it anew",
                        self.label,
                        reason,
                    )
                else:
                    self.hits += 1
                    return result
            elif data:
                logger.warning("cache entry of %s is not sound; compiling it anew", self.label)
        _announce(f"compiling {self.label}: once per machine, about ten seconds")
        return None

    def save_overload(self, sig, data):
        """Write the compiled function; a full disk costs a recompilation, not the run."""
        if self._directory is None:
            return
        entry = self._entry(sig, data.codegen.magic_tuple())
        payload = serialize.dumps(data._reduce())
        try:
            with complete_file(entry, private=True) as path:
                path.write_bytes(self._sign(entry, payload) + payload)
        except OSError as error:
            logger.warning("could not write the cache entry of %s: %s", self.label, error)

    def _sign(self, entry: Path, payload: bytes) -> bytes:
        return hmac.digest(self._key, entry.name.encode() + payload, "sha256")

    @property
    def cache_path(self):
        """The directory, as text."""
        return str(self._directory)

    def enable(self):
        """Do nothing: the cache is always enabled (part of Numba's interface)."""

    def disable(self):
        """Do nothing: the cache is always enabled (part of Numba's interface)."""

    def flush(self):
        """Do nothing: entries are never stale, their name is their content."""
