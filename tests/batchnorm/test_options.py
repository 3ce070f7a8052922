import pytest

from matbackprop.batchnorm import BatchNorm
from matbackprop.errors import OptionError


def test_defaults_are_those_of_deep_learning():
    assert BatchNorm() == BatchNorm(ddof=0, eps=1e-5)


@pytest.mark.parametrize("ddof", [-1, 0.5, True, "1"])
def test_ddof_is_a_count(ddof):
    with pytest.raises(
        OptionError, match=r"BatchNorm\(ddof, eps\)` needs an integer ddof >= 0; got"
    ):
        BatchNorm(ddof=ddof)


@pytest.mark.parametrize("eps", [-1e-5, float("nan"), float("inf"), "1e-5", True])
def test_eps_is_finite_and_not_negative(eps):
    with pytest.raises(OptionError, match=r"needs a finite eps >= 0; got .*1e-5 is customary"):
        BatchNorm(eps=eps)
