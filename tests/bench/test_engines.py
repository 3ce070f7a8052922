import sys

import numpy as np
import pytest

from matbackprop.bench.contender import NETWORK, draw, largest_error
from matbackprop.bench.engines import ENGINES, MOMENTS_PASS, PRODUCTS, ROWS_OF_A_BLOCK
from matbackprop.errors import MissingExtraError, OptionError, RUnavailableError
from matbackprop.network import gradient

PARTS = (MOMENTS_PASS, PRODUCTS)
MARKS = {
    "torch.compile": pytest.mark.slow,
    "R matrix code": pytest.mark.r,
    "R loops": pytest.mark.r,
}
WHOLE = [pytest.param(name, marks=MARKS.get(name, ())) for name in ENGINES if name not in PARTS]


@pytest.fixture
def prepared(unavailable):
    def prepare(name, task):
        try:
            return ENGINES[name].prepare(task)
        except (MissingExtraError, RUnavailableError) as error:
            unavailable(f"{name}: {error}")

    return prepare


@pytest.mark.parametrize("name", WHOLE)
def test_each_gives_the_same_gradient(name, prepared):
    task = draw(60, 4, 3)
    exact = gradient(NETWORK, task.par, task.X, task.y)
    contender = prepared(name, task)
    assert largest_error(contender.run(), exact) < 1e-10
    assert contender.turn() > 0


@pytest.mark.parametrize("name", ["matbackprop, one pass", "torch", "JAX", "autograd"])
def test_each_computes_in_the_dtype_of_the_data(name, prepared):
    task = draw(60, 4, 3, dtype="float32")
    exact = gradient(NETWORK, task.par, *(a.astype(np.float64) for a in (task.X, task.y)))
    found = prepared(name, task).run()
    assert {np.asarray(block).dtype for block in found[1:]} == {np.dtype("float32")}
    assert 0 < largest_error(found, exact) < 1e-4


@pytest.mark.parametrize("name", PARTS)
def test_what_is_only_a_part_gives_no_gradient(name):
    contender = ENGINES[name].prepare(draw(60, 4, 3, threads=2))
    assert contender.run() is None
    assert contender.turn() > 0


def test_the_products_are_taken_in_the_best_of_the_blocks():
    note = ENGINES[PRODUCTS].prepare(draw(60, 4, 3)).note
    assert note in {f"blocks of {rows} rows" for rows in ROWS_OF_A_BLOCK}


def test_jax_computes_for_others_as_before(prepared):
    prepared("JAX", draw(60, 4, 3)).run()
    assert sys.modules["jax"].numpy.asarray(np.ones(2)).dtype == np.float32


def test_where_torch_cannot_compile_it_says_why(torch, monkeypatch):
    def compiled(loss, **options):
        def run(*arguments):
            raise RuntimeError("No working C++ compiler found\nand much more")

        return run

    monkeypatch.setattr(torch, "compile", compiled)
    with pytest.raises(
        MissingExtraError,
        match=r"torch.compile does not work here: RuntimeError: No working C\+\+ compiler found$",
    ):
        ENGINES["torch.compile"].prepare(draw(60, 4, 3))


@pytest.mark.parametrize("name", ["R matrix code", "R loops"])
def test_r_is_not_asked_for_what_would_take_it_minutes(name):
    with pytest.raises(OptionError, match="too slow for this shape"):
        ENGINES[name].prepare(draw(5000, 200, 600))


@pytest.mark.r
def test_r_keeps_the_data_no_longer_than_its_contender(prepared):
    contender = prepared("R matrix code", draw(60, 4, 3))
    kept = sys.modules["rpy2.robjects"].r
    before = kept("length(getOption('matbackprop.bench'))")[0]
    del contender
    assert kept("length(getOption('matbackprop.bench'))")[0] == before - 1
