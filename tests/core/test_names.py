import pytest

from pymc_hydro.core.base.names import check_arguments

KNOWN = ("warmup", "rtol", "atol")


def test_unknown_arguments_are_refused_with_the_nearest_name():
    check_arguments("discharge", {"rtol": 1e-3}, KNOWN)
    with pytest.raises(TypeError) as error:
        check_arguments("discharge", {"warmpu": 3}, KNOWN)
    assert str(error.value) == (
        "discharge: unknown argument 'warmpu'; did you mean 'warmup'? known are warmup, rtol, atol"
    )
    with pytest.raises(TypeError, match="unknown argument 'x'; known are warmup"):
        check_arguments("discharge", ["x"], KNOWN)
