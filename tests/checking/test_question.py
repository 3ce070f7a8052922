"""The question's three gradients, as posted, are each named: what it took years to see."""

import numpy as np
import pytest

import matbackprop as mb
from matbackprop.checking import check_gradient
from matbackprop.network import objective
from matbackprop.verification.posted_text import POSTED
from matbackprop.verification.replica import posted_figures

NAMES = ("Gamma1", "Gamma2", "gamma", "beta")


@pytest.fixture(scope="module")
def q():
    return mb.question()


def diagnosed(q, gradient):
    R = objective(q.network, q.parameters, q.X, q.y)
    at = {name: getattr(q.parameters, name) for name in NAMES}
    return check_gradient(
        lambda p: R(mb.Parameters(**p).to_vector()),
        gradient,
        at,
        network=(q.network, q.X, q.y),
    )


@pytest.fixture(scope="module")
def posted(q):
    figures = posted_figures(q)
    g = mb.gradient(q.network, q.parameters, q.X, q.y)
    return {
        "Gamma1": figures["Gamma1_loop"],
        "Gamma2": g.Gamma2,
        "gamma": figures["gamma_loop"],
        "beta": figures["beta_loop"],
    }


EXPECTED = {
    "Gamma1": ["activation derivative", "fixed moments", "scale"],
    "gamma": ["activation derivative", "factor"],
    "beta": ["activation derivative"],
}


@pytest.mark.parametrize("name", EXPECTED)
def test_each_is_named_alone(q, posted, name):
    right = mb.gradient(q.network, q.parameters, q.X, q.y)
    found = diagnosed(q, {n: posted[n] if n == name else getattr(right, n) for n in NAMES})
    assert [f.kind for f in found.findings] == EXPECTED[name]
    assert {f.block for f in found.findings} == {name}
    assert {b.name for b in found.blocks if not b.ok} == {name}


def test_all_are_named_together(q, posted):
    found = diagnosed(q, posted)
    kinds = [(f.kind, f.block) for f in found.findings]
    assert kinds == [
        ("activation derivative", "Gamma1, gamma, beta"),
        ("fixed moments", "Gamma1"),
        ("scale", "Gamma1"),
        ("factor", "gamma"),
    ]
    sentences = [f.sentence for f in found.findings]
    assert "taken as 1 everywhere" in sentences[0]
    assert "μ and σ are held fixed" in sentences[1]
    assert sentences[2] == (
        "Each column is scaled by γσ, where γ/σ is meant: the scale is inverted."
    )
    assert "factor γ too many" in sentences[3]


def test_the_printed_digits_are_those_of_the_replica(posted):
    """What is diagnosed is what was posted: the same to every digit printed."""
    for name in ("Gamma1", "gamma", "beta"):
        figure = POSTED[f"{name}_loop"]
        np.testing.assert_array_equal(figure.rounded(posted[name]), figure.numbers)


def test_the_right_gradient_is_right(q):
    right = mb.gradient(q.network, q.parameters, q.X, q.y)
    found = diagnosed(q, {n: getattr(right, n) for n in NAMES})
    assert found.ok
    assert found.max_error < 1e-9
    assert not found.findings
