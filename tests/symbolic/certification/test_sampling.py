"""Points are drawn where everything is defined, alike for a seed; else the fault is named."""

import numpy as np
import pytest

from matbackprop.errors import DataError, MatBackpropError, OptionError
from matbackprop.symbolic.certification.sampling import TRIES, DomainError, Sample, UndefinedError
from matbackprop.symbolic.expressions.dimension import Dim
from matbackprop.symbolic.expressions.expression import Number, Variable
from matbackprop.symbolic.expressions.nodes import (
    Apply,
    Inverse,
    Item,
    Kron,
    LogDet,
    Named,
    Total,
    Trace,
)


def var(name, *shape, domain="normal", flags=()):
    return Variable(name, tuple(Dim.of(s) for s in shape), flags, domain)


def log(x):
    return Apply("log", x)


X, A, x, s, t = (var("X", "n", "p"), var("A", "p", "p"), var("x", "n", 1), var("s"), var("t"))


def at(point):
    return point


def points(*sources, count=3, measure=at, **options):
    return [point for point, _ in Sample(sources, **options).points(count, measure)]


def test_a_point_gives_every_variable_size_and_node():
    L = Total(X @ A)
    (point,) = points(L, count=1)
    assert point.given.sizes == {"n": 6, "p": 3}
    assert point.given.arrays["X"].shape == (6, 3)
    assert point.values.keys() == {*L.nodes()}
    assert point.values[L] == L.evaluate(point.given.arrays)
    assert point.array(A) is point.given.arrays["A"]
    assert (point.size(X), point.size(s), point.size(Kron(A, A))) == (18, 1, 81)


def test_points_differ_and_repeat_with_the_seed():
    first, again = points(Total(X), seed=5), points(Total(X), seed=5)
    other = points(Total(X), seed=6)
    drawn = [point.array(X) for point in first]
    assert not np.allclose(drawn[0], drawn[1])
    assert all((a == b.array(X)).all() for a, b in zip(drawn, again, strict=True))
    assert not np.allclose(drawn[0], other[0].array(X))


def test_other_variables_and_results_are_drawn_too():
    (point,) = points(Total(X), results=(Total(A),), variables=(s,), count=1)
    assert {"X", "A", "s"} == point.given.arrays.keys()
    assert point.values[Total(A)] == point.array(A).sum()


def test_domains_and_flags_are_respected():
    S, y = var("S", "p", "p", flags=("symmetric",)), var("y", "n", 1, domain="pm1")
    for point in points(Trace(S) + Total(y)):
        assert (point.array(S) == point.array(S).T).all()
        assert (abs(point.array(y)) == 1).all()


def test_bad_points_are_drawn_again():
    for point in points(log(s) + log(-t), count=8):
        assert point.array(s) > 0 > point.array(t)


def test_a_nan_that_vanishes_again_still_refuses_the_point():
    masked = Apply("relu", log(s))
    for point in points(masked, count=10):
        assert point.array(s) > 0


def test_nearly_singular_inverses_are_drawn_again():
    B = var("B", 1, 1)
    tiny = Inverse(Total(B * B) * (A * 1) + 0 * A)
    assert all(np.linalg.cond(p.values[tiny.args[0]]) < 1e6 for p in points(tiny, results=(B,)))
    singular = Inverse(x @ x.T)
    with pytest.raises(DomainError, match=r"inv\(x\*x'\) does not exist or is all but singular"):
        points(Total(singular))
    with pytest.raises(DomainError, match=r"inv\(x\*x'\)"):
        points(Total(x), results=(singular,))


def test_results_may_be_nan():
    (point,) = points(Total(x), results=(log(-x * x),), count=1)
    assert np.isnan(point.values[log(-x * x)]).all()


def test_sizes_are_tried_the_other_way_round():
    wide = var("W", "p", "n")
    assert points(Inverse(wide.T @ wide), count=1)[0].given.sizes == {"p": 6, "n": 3}
    assert points(Inverse(X.T @ X), count=1)[0].given.sizes == {"n": 6, "p": 3}


def test_required_equalities_hold():
    L = Trace(Kron(var("C", "k", "k"), A) @ var("B", 6, 6))
    assert points(L, count=1)[0].given.sizes == {"k": 2, "p": 3}


def test_measuring_may_ask_for_another_point():
    seen = []

    def picky(point):
        seen.append(point)
        if len(seen) % 3:
            raise DataError("not here")
        return len(seen)

    found = Sample((s,)).points(2, picky)
    assert [value for _, value in found] == [3, 6]
    assert len(seen) == 6


def test_what_measuring_raises_otherwise_passes():
    def broken(point):
        raise KeyError("x")

    with pytest.raises(KeyError):
        Sample((s,)).points(1, broken)


ADVICE = {
    "log": (
        Total(log(X)),
        "log(X) is not a number at any of 50 points drawn (with n=6, p=3): X needs a domain, "
        "e.g. domains={'X': 'positive'} or --domain X:positive.",
    ),
    "which of two": (
        Total(log(X)) + Total(A @ A),
        "X needs a domain, e.g. domains={'X': 'positive'}",
    ),
    "below": (Total(log(3 * X) + X), "log(3*X) is not a number"),
    "a root": (Total((X @ A) ** 0.5), "sqrt(X*A) is not a number"),
    "both operands": (
        Total((X @ A) ** 0.5),
        "X and A need domains, e.g. domains={'X': 'positive',",
    ),
    "probabilities": (
        Total(log(1 - x) + log(x)),
        "x needs a domain, e.g. domains={'x': 'unit'} or --domain x:unit.",
    ),
    "arcsine": (Total(Apply("asin", 2 * X - 1)), "domains={'X': 'unit'}"),
    "named": (log(Named("c", -(s * s))), "log(c) is not a number"),
    "nothing helps": (
        log(-(s * s)),
        "and none of the domains positive, unit, well, spd for s mends that. Check that it is",
    ),
    "no variable": (log(Number(-1)) + s, "log(-1) is not a number at any of 50 points drawn, and"),
    "another needs one too": (Total(log(X)) + Total(log(x)), "X needs a domain"),
    "determinant": (LogDet(-(A @ A)), "logdet(-A*A) is not a number at any of 50"),
}


@pytest.mark.parametrize("name", ADVICE)
def test_the_variable_that_needs_a_domain_is_named(name):
    source, text = ADVICE[name]
    with pytest.raises(DomainError) as caught:
        points(source)
    assert text in str(caught.value)


def test_a_derivative_that_does_not_exist_is_said_to():
    def never(point):
        raise DataError("no derivative")

    with pytest.raises(DomainError, match=r"^x'\*x has no finite derivative at any of 50"):
        Sample((Item(x.T @ x),)).points(1, never)


def test_points_found_at_last_are_not_denied():
    def seldom(point):
        if point.array(s) < 1.5:
            raise DataError("too small")

    with pytest.raises(DomainError, match=r"has no finite derivative at nearly all of \d+ points"):
        Sample((s * 1,)).points(30, seldom)


def test_options_that_do_not_exist_are_refused_at_once():
    with pytest.raises(OptionError, match="knows domain"):
        points(Total(var("X", "n", "p", domain="gauss")))


def test_the_errors_are_also_builtins():
    assert issubclass(DomainError, MatBackpropError)
    assert issubclass(DomainError, ValueError)
    assert issubclass(UndefinedError, ArithmeticError)
    assert str(UndefinedError(log(s), "is not a number")) == (
        "log(s) is not a number at this point: draw another."
    )
    assert TRIES == 50


def test_nearby_points_differ_in_their_last_bits_only():
    root = Total(X @ A) ** 2
    sample = Sample((root,))
    ((point, _),) = sample.points(1, at)
    near = list(sample.nearby(point, 3))
    for other in near:
        np.testing.assert_allclose(other.array(X), point.array(X), rtol=1e-15)
        assert other.values[root] == pytest.approx(point.values[root], rel=1e-12)
        assert other.given.sizes == point.given.sizes
    assert (near[0].array(X) != near[1].array(X)).any()
    assert len({float(p.after(root.nodes(), X, point.array(X))[root]) for p in near}) > 1


def test_points_closer_to_zero_are_where_it_is_defined():
    Q = var("Q", "p", "p", flags=("orthogonal",))
    sample = Sample((Total(x) + Total(Q) + Total(log(X * X)),))
    ((point, _),) = sample.points(1, at)
    (closer,) = sample.scaled(point, x, (1e-2,))
    np.testing.assert_array_equal(closer.array(x), 1e-2 * point.array(x))
    np.testing.assert_array_equal(closer.array(X), point.array(X))
    assert list(sample.scaled(point, Q, (1e-2,))) == []
    assert list(sample.scaled(point, X, (0.0,))) == []


def test_what_only_the_formula_of_a_derivative_inverts_is_said_to():
    with pytest.raises(DomainError, match=r"formula of its derivative inverts x\*x', which must"):
        points(Total(x @ x.T), results=(Inverse(x @ x.T),))
    with pytest.raises(DomainError, match="Check that it is defined at all"):
        points(Inverse(x @ x.T))
