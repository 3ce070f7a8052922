"""Every expression and ideal form of the cases, against NumPy and through both notations."""

import numpy as np
import pytest

from matbackprop.symbolic.notations import count_nodes, read, spelled, tree_of, write


@pytest.fixture
def values(case, point, dims):
    drawn = point(case["vars"], dims, case["domains"], seed=7)
    return drawn, [drawn[name] for name in case["vars"]]


def test_the_value_is_that_of_the_numpy_function(case, values):
    given, arrays = values
    expr = read(case["expression"], shapes=case["vars"], domains=case["domains"])
    wanted = eval(case["numpy"], {"np": np})(*arrays)
    np.testing.assert_allclose(expr.evaluate(given), wanted, rtol=1e-11, atol=1e-12)
    assert expr.is_scalar == (case["kind"] != "jacobian")


@pytest.mark.parametrize("notation", ["matlab", "r"])
def test_writing_and_reading_keep_the_value(case, values, notation):
    given, _ = values
    for text in filter(None, (case["expression"], case["ideal"])):
        expr = read(text, shapes=case["vars"])
        written = write(expr, notation)
        again = read(written, notation=notation, shapes=case["vars"])
        np.testing.assert_allclose(
            np.squeeze(again.evaluate(given)),
            np.squeeze(expr.evaluate(given)),
            rtol=1e-11,
            atol=1e-12,
        )
        assert tree_of(written, notation) == spelled(expr, notation)


def test_nothing_grows_when_it_is_written(case):
    for text in filter(None, (case["expression"], case["ideal"])):
        written = spelled(read(text, shapes=case["vars"]))
        assert count_nodes(written) <= count_nodes(tree_of(text))
