"""Is my gradient right? A check that says what is wrong with it.

`check_gradient` holds a gradient against numerical derivatives of its loss and, where they differ,
names the mistake: `Diagnosis.findings`. `check_jacobian` and `check_hessian` do so for matrices of
derivatives, `check_r_gradient` for functions in an R file, `assert_gradient` in tests.
"""

from matbackprop.checking.door import (
    assert_gradient,
    check_gradient,
    check_hessian,
    check_jacobian,
)
from matbackprop.checking.r_functions import check_r_gradient
from matbackprop.checking.records import BlockCheck, Diagnosis, Finding

__all__ = [
    "BlockCheck",
    "Diagnosis",
    "Finding",
    "assert_gradient",
    "check_gradient",
    "check_hessian",
    "check_jacobian",
    "check_r_gradient",
]
