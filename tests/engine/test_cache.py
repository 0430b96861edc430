import logging
import os
import stat
import subprocess
import sys
import warnings

import numpy as np
import pytest

from pymc_hydro.data.schema import interval_length
from pymc_hydro.engine import kernels
from pymc_hydro.engine.problem import define_problem
from pymc_hydro.engine.simulate import forcing_array
from tests.conftest import FORCINGS


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """An empty cache directory, and no kernel in memory before or after."""
    directory = tmp_path / "cache"
    monkeypatch.setenv("PYMC_HYDRO_CACHE", str(directory))
    kernels._compile.cache_clear()
    yield directory
    kernels._compile.cache_clear()


def run(model):
    """Run as a fresh process would; returns the values and how often the cache was hit."""
    kernels._compile.cache_clear()
    basin = FORCINGS["rain"]
    problem = define_problem(model, ("discharge",), interval_length(basin))
    values = problem.run(model.default, forcing_array(model, basin), model.initial_state).values
    return values, problem.kernel().function._cache.hits


def entries(cache):
    return sorted(cache.glob("*.kernel"))


def test_compilation_says_what_is_happening(cache, tiny, caplog):
    run(tiny)
    assert "compiling the Tiny kernel for discharge: once per machine" in caplog.text
    caplog.clear()
    run(tiny)
    assert not caplog.text


def test_second_process_finds_the_kernel_and_the_directory_is_private(cache, tiny):
    first, hits = run(tiny)
    assert hits == 0
    assert stat.S_IMODE(cache.stat().st_mode) == 0o700
    assert all(stat.S_IMODE(p.stat().st_mode) == 0o600 for p in cache.iterdir())
    second, hits = run(tiny)
    assert hits == 1
    np.testing.assert_array_equal(first, second)


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
def test_an_unsound_entry_is_rebuilt_and_not_executed(cache, tiny, spoil, caplog):
    first, _ = run(tiny)
    (entry,) = entries(cache)
    spoil(entry)
    with caplog.at_level(logging.WARNING, "pymc_hydro"):
        second, hits = run(tiny)
    assert hits == 0 and "not sound" in caplog.text
    assert not (cache / "executed").exists()
    np.testing.assert_array_equal(first, second)
    assert run(tiny)[1] == 1


def test_an_entry_of_another_name_is_not_taken(cache, tiny):
    """A sound entry under the name of another kernel fails its signature."""
    from tests.other import Other

    run(tiny)
    (entry,) = entries(cache)
    data = entry.read_bytes()
    run(Other())
    (other,) = [e for e in entries(cache) if e != entry]
    other.write_bytes(data)
    assert run(Other())[1] == 0


def test_a_directory_open_to_others_is_not_used(cache, tiny):
    cache.mkdir()
    cache.chmod(0o755)
    with pytest.warns(UserWarning, match="in memory only.*mode 0700"):
        run(tiny)
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # one warning, not one a kernel
        run(tiny)
    assert not entries(cache)


def test_a_directory_that_cannot_be_made(tmp_path, monkeypatch, tiny):
    blocker = tmp_path / "file"
    blocker.write_text("")
    monkeypatch.setenv("PYMC_HYDRO_CACHE", str(blocker / "cache"))
    with pytest.warns(UserWarning, match="in memory only"):
        values, _ = run(tiny)
    assert np.isfinite(values).all()
    kernels._compile.cache_clear()


def test_entries_survive_the_process(cache):
    code = (
        "from tests.tiny import Tiny; from tests.engine.test_cache import run;"
        "print('hits', run(Tiny())[1])"
    )
    for expected in (0, 1):
        result = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", code],
            capture_output=True,
            text=True,
            check=True,
        )
        assert f"hits {expected}" in result.stdout
