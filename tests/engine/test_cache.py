import io
import logging
import os
import stat
import subprocess
import sys
import warnings
from pathlib import Path

import numba
import pytest
from numba.core import event
from rich.console import Console
from rich.status import Status

from pymc_hydro.data.files import complete_file
from pymc_hydro.engine import compile as kernels
from pymc_hydro.engine.cache import SIGNATURE_BYTES, KernelCache, cache_directory


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """An empty cache directory."""
    directory = tmp_path / "cache"
    monkeypatch.setenv("PYMC_HYDRO_CACHE", str(directory))
    return directory


def run(factor=2.0):
    """Compile a small function in the way of kernels, as a fresh process would.

    Returns a value of it and how often the cache was hit.
    """
    space = kernels.namespace()
    exec(f"def times(x):\n    return {factor!r} * x\n", space)
    function = kernels.compile_cached(space["times"], f"times {factor}", "the function times")
    return function(3.0), function._cache.hits


def entries(cache):
    return sorted(cache.glob("*.kernel"))


def test_compilation_says_what_is_happening(cache, caplog):
    run()
    assert "compiling the function times: once per machine" in caplog.text
    caplog.clear()
    run()
    assert not caplog.text


def test_a_console_has_a_line_that_moves_until_the_end(cache, caplog, monkeypatch):
    started = []

    class Line(Status):
        def start(self):
            started.append(self)
            super().start()

    console = Console(stderr=True, force_terminal=True, file=io.StringIO())
    console.status = lambda text: Line(text, console=console)
    monkeypatch.setattr("rich.console.Console", lambda **_: console)
    run(3.5)
    (line,) = started
    assert "compiling the function times" in console.file.getvalue()
    assert not (line._live.is_started or caplog.text)
    event.start_event("numba:compile")  # of another function: no line
    event.end_event("numba:compile")
    run(3.5)
    assert started == [line]


def test_second_process_finds_the_kernel_and_the_directory_is_private(cache):
    first, hits = run()
    assert hits == 0
    assert stat.S_IMODE(cache.stat().st_mode) == 0o700
    assert all(stat.S_IMODE(p.stat().st_mode) == 0o600 for p in cache.iterdir())
    second, hits = run()
    assert hits == 1
    assert first == second == 6


def spoil_end(entry):
    data = bytearray(entry.read_bytes())
    data[-20] ^= 1
    entry.write_bytes(data)


def spoil_length(entry):
    entry.write_bytes(entry.read_bytes()[:100])


def foreign(entry):
    """A whole pickle that was signed elsewhere: must not be executed."""
    import pickle

    class Bomb:
        def __reduce__(self):
            return os.system, ("touch " + str(entry.parent / "executed"),)

    entry.write_bytes(bytes(32) + pickle.dumps(Bomb()))


@pytest.mark.parametrize("spoil", [spoil_end, spoil_length, foreign])
def test_an_unsound_entry_is_rebuilt_and_not_executed(cache, spoil, caplog):
    first, _ = run()
    (entry,) = entries(cache)
    spoil(entry)
    with caplog.at_level(logging.WARNING, "pymc_hydro"):
        second, hits = run()
    assert hits == 0 and "not sound" in caplog.text
    assert not (cache / "executed").exists()
    assert first == second == 6
    assert run()[1] == 1


def test_an_entry_of_another_version_is_rebuilt_and_said_in_one_line(cache, caplog, capfd):
    """Signed and whole, but it names a module that there was in an earlier version."""
    run()
    (entry,) = entries(cache)
    keeper = KernelCache("times 2.0", "the function times")
    payload = entry.read_bytes()[SIGNATURE_BYTES:]
    older = payload.replace(b"pymc_hydro", b"pymc_moved")
    assert older != payload
    entry.write_bytes(keeper._sign(entry, older) + older)
    caplog.clear()
    assert run() == (6, 0)
    said = [record for record in caplog.records if "another version" in record.message]
    (line,) = (record.getMessage() for record in said)
    assert line == (
        "cache entry of the function times is of another version (ModuleNotFoundError: "
        "No module named 'pymc_moved'); compiling it anew"
    )
    assert all(record.exc_info is None for record in caplog.records)
    assert "Traceback" not in caplog.text + "".join(capfd.readouterr())
    assert run() == (6, 1)


def test_an_entry_of_another_name_is_not_taken(cache):
    """A sound entry under the name of another function fails its signature."""
    run()
    (entry,) = entries(cache)
    data = entry.read_bytes()
    run(5.0)
    (other,) = [e for e in entries(cache) if e != entry]
    other.write_bytes(data)
    assert run(5.0) == (15, 0)


def test_an_entry_that_others_may_read_is_not_taken(cache, caplog):
    run()
    (entry,) = entries(cache)
    entry.chmod(0o644)
    assert run() == (6, 0)
    assert run() == (6, 1)
    (cache / "key").chmod(0o644)
    with pytest.warns(UserWarning, match="key must be a file of yours with mode 0600"):
        run()


@pytest.mark.parametrize(("owner", "name"), [(numba, "__version__"), (sys, "version")])
def test_an_entry_of_another_compiler_is_not_taken(cache, monkeypatch, owner, name):
    run()
    with monkeypatch.context() as patch:
        patch.setattr(owner, name, "0.1")
        keeper = KernelCache("times 2.0", "the function times")
        names = {keeper._entry((), "cpu").name}
    names.add(keeper._entry((), "cpu").name)
    names.add(keeper._entry((), "another cpu").name)
    names.add(keeper._entry(("f8",), "cpu").name)
    assert len(names) == 4


def test_where_the_cache_is(monkeypatch, tmp_path):
    home = Path.home()
    for name in ("PYMC_HYDRO_CACHE", "XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(sys, "platform", "linux")
    assert cache_directory() == home / ".cache" / "pymc_hydro"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_directory() == tmp_path / "pymc_hydro"
    monkeypatch.setattr(sys, "platform", "darwin")
    assert cache_directory() == home / "Library" / "Caches" / "pymc_hydro"
    monkeypatch.setenv("PYMC_HYDRO_CACHE", str(tmp_path / "own"))
    assert cache_directory() == tmp_path / "own"


def test_a_directory_open_to_others_is_not_used(cache):
    cache.mkdir()
    cache.chmod(0o755)
    with pytest.warns(UserWarning, match="in memory only.*mode 0700"):
        run()
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # one warning, not one a kernel
        run()
    assert not entries(cache)


def test_a_directory_that_cannot_be_made(tmp_path, monkeypatch):
    blocker = tmp_path / "file"
    blocker.write_text("")
    monkeypatch.setenv("PYMC_HYDRO_CACHE", str(blocker / "cache"))
    with pytest.warns(UserWarning, match="in memory only"):
        assert run() == (6, 0)


@pytest.mark.kernels
def test_kernels_survive_the_process(cache):
    code = (
        "import pymc_hydro as ph; from tests.tiny import Tiny; from tests.conftest import FORCINGS;"
        "ph.simulate(Tiny(), Tiny().default, FORCINGS['rain']);"
        "from pymc_hydro.engine.compile import get_kernel;"
        "print('hits', get_kernel(Tiny(), ('discharge',)).function._cache.hits)"
    )
    for expected in (0, 1):
        result = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", code],
            capture_output=True,
            text=True,
            check=True,
        )
        assert f"hits {expected}" in result.stdout


def test_the_key_of_an_entry_has_the_options_of_the_compiler(monkeypatch):
    before = kernels.content_of("text")
    assert before == kernels.content_of("text") != kernels.content_of("another text")
    monkeypatch.setitem(kernels.OPTIONS, "fastmath", False)
    assert kernels.content_of("text") != before


def test_an_interrupted_write_leaves_no_entry(cache, monkeypatch, caplog):
    """Half an entry would be found by another process."""
    write = Path.write_bytes

    def half(path, data):
        write(path, data[: len(data) // 2])
        raise OSError("disk full")

    run(7.0)
    (first,) = entries(cache)
    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_bytes", half)
        assert run(8.0) == (24, 0)
    assert "could not write the cache entry" in caplog.text
    assert entries(cache) == [first]
    assert {path.name for path in cache.iterdir()} == {first.name, "key"}


def test_a_file_takes_its_place_whole(tmp_path):
    """By its name alone: nobody can read a part of it."""
    path = tmp_path / "x.txt"
    path.write_text("old")
    with complete_file(path) as temporary:
        temporary.write_text("new")
        written = temporary.stat().st_ino
        assert path.read_text() == "old"
    assert (path.read_text(), path.stat().st_ino) == ("new", written)
    assert list(tmp_path.iterdir()) == [path]
