"""Agreement with R's matrixcalc, number for number.

Where its conventions differ from ours:

- `vec` and `vech` return one-column matrices there, vectors here; `vec` there takes matrices
  only;
- the structure matrices are dense there and begin at n = 2; here they are sparse, and n = 1 is
  allowed;
- `hadamard.prod` there takes a vector for a one-column matrix; here shapes must be equal.

The numbers and their order (columns stacked) are the same.
"""

import shutil
import subprocess

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from matbackprop.linalg import (
    commutation,
    duplication,
    elimination,
    hadamard,
    kron,
    unvec,
    vec,
    vech,
)

pytestmark = pytest.mark.r

SCRIPT = r"""
if (!requireNamespace("matrixcalc", quietly = TRUE)) quit(status = 77)
library(matrixcalc)
A <- matrix(c(%(A)s), 3)
B <- matrix(c(%(B)s), 3)
S <- matrix(c(%(S)s), 3)
results <- list(
  vec = vec(A), vech = vech(S), hadamard = hadamard.prod(A, B), kron = A %%x%% B,
  kron_vector = diag(2) %%x%% c(1, 2, 3),
  commutation_23 = commutation.matrix(2, 3), commutation_42 = commutation.matrix(4, 2),
  commutation_33 = commutation.matrix(3), duplication_2 = duplication.matrix(2),
  duplication_4 = duplication.matrix(4), elimination_2 = elimination.matrix(2),
  elimination_4 = elimination.matrix(4)
)
for (name in names(results)) {
  value <- results[[name]]
  cat(name, dim(value), sprintf("%%.17g", value), "\n")
}
"""

rng = np.random.default_rng(2024)
A, B = rng.standard_normal((2, 3, 2))
S = rng.standard_normal((3, 3))  # not symmetric: both sides must read the same triangle

OURS = {
    "vec": vec(A)[:, None],
    "vech": vech(S)[:, None],
    "hadamard": hadamard(A, B),
    "kron": kron(A, B),
    "kron_vector": kron(np.eye(2), [1.0, 2.0, 3.0]),
    "commutation_23": commutation(2, 3).toarray(),
    "commutation_42": commutation(4, 2).toarray(),
    "commutation_33": commutation(3, 3).toarray(),
    "duplication_2": duplication(2).toarray(),
    "duplication_4": duplication(4).toarray(),
    "elimination_2": elimination(2).toarray(),
    "elimination_4": elimination(4).toarray(),
}


@pytest.fixture(scope="module")
def theirs(unavailable):
    rscript = shutil.which("Rscript")
    if rscript is None:
        unavailable("Rscript is not installed")
    numbers = {
        name: ", ".join(f"{x:.17g}" for x in vec(matrix))
        for name, matrix in {"A": A, "B": B, "S": S}.items()
    }
    done = subprocess.run(
        [rscript, "--vanilla", "-e", SCRIPT % numbers],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode == 77:
        unavailable("the R package matrixcalc is not installed")
    assert done.returncode == 0, done.stderr
    results = {}
    for line in done.stdout.splitlines():
        name, rows, columns, *values = line.split()
        results[name] = unvec([float(v) for v in values], (int(rows), int(columns)))
    return results


@pytest.mark.parametrize("name", OURS)
def test_agrees_with_matrixcalc(name, theirs):
    assert theirs[name].shape == OURS[name].shape
    if name in ("hadamard", "kron"):  # one multiplication an entry: one rounding on each side
        assert_allclose(OURS[name], theirs[name], rtol=2.3e-16, atol=0)
    else:
        assert_array_equal(OURS[name], theirs[name])


def test_nothing_is_left_uncompared(theirs):
    assert set(theirs) == set(OURS)
