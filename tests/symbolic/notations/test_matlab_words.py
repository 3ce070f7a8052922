import numpy as np
import pytest

from matbackprop.linalg import commutation, duplication
from matbackprop.symbolic.expressions.functions import FUNCTIONS
from matbackprop.symbolic.expressions.nodes import Item
from matbackprop.symbolic.notations import read

EXPECTED = {
    "X'*X": lambda v: v.X.T @ v.X,
    "lam*X + X*lam": lambda v: 2 * v.lam * v.X,
    "X.*Y./(X.*X+1)": lambda v: v.X * v.Y / (v.X**2 + 1),
    "1-X/lam": lambda v: 1 - v.X / v.lam,
    "1./(1+X.^2)": lambda v: 1 / (1 + v.X**2),
    "-X.^3": lambda v: -(v.X**3),
    "2.^X": lambda v: 2**v.X,
    "(X.*X+1).^Y": lambda v: (v.X**2 + 1) ** v.Y,
    "S^3": lambda v: np.linalg.matrix_power(v.S, 3),
    "S^-2": lambda v: np.linalg.inv(v.S @ v.S),
    "S^0 + S^1": lambda v: np.eye(3) + v.S,
    "(lam^2+1)^(-1/2)": lambda v: (v.lam**2 + 1) ** -0.5,
    "2^lam": lambda v: 2**v.lam,
    "x.'*y": lambda v: (v.x.T @ v.y).item(),
    "tr(S) + sum(X) + mean(X)": lambda v: np.trace(v.S) + v.X.sum() + v.X.mean(),
    "norm1(X) + norm2(X)": lambda v: np.abs(v.X).sum() + np.linalg.norm(v.X),
    "det(S) + logdet(S*S')": lambda v: np.linalg.det(v.S) + 2 * np.linalg.slogdet(v.S)[1],
    "inv(S)*b": lambda v: np.linalg.solve(v.S, v.b),
    "rowsum(X)*colsum(X)": lambda v: v.X.sum(1, keepdims=True) @ v.X.sum(0, keepdims=True),
    "diag(b)*diagvec(S)": lambda v: v.b * np.diag(v.S)[:, None],
    "kron(S, x)": lambda v: np.kron(v.S, v.x),
    "vec(X)": lambda v: v.X.reshape(-1, 1, order="F"),
    "reshape(X, p, n)": lambda v: v.X.reshape(3, 5, order="F"),
    "ones(n)*ones(p)' - ones(n, p)": lambda v: np.zeros((5, 3)),
    "zeros(n, 2) + eye(n)*ones(n, 2)": lambda v: np.ones((5, 2)),
    "zeros(p)": lambda v: np.zeros((3, 1)),
    "K(n, p)": lambda v: commutation(5, 3).toarray(),
    "D(p)": lambda v: duplication(3).toarray(),
    "sqrt(X.*X)": lambda v: np.abs(v.X),
    "softmax(X)": lambda v: np.exp(v.X) / np.exp(v.X).sum(1, keepdims=True),
    "logsumexp(X)": lambda v: np.log(np.exp(v.X).sum(1, keepdims=True)),
    "assemble(rearrange(K(n, p), n, p, p, n), n, p, p, n)": lambda v: commutation(5, 3).toarray(),
    "log(2*pi)*n/2": lambda v: np.log(2 * np.pi) * 5 / 2,
    "n-1+p": lambda v: 7.0,
}


class Named:
    """Values by attribute, to write NumPy as one writes mathematics."""

    def __init__(self, values):
        self.__dict__ |= values


@pytest.mark.parametrize("text", EXPECTED)
def test_values(shapes, point, text):
    values = point()
    found = read(text, shapes=shapes).evaluate(values)
    np.testing.assert_allclose(found, EXPECTED[text](Named(values)), rtol=1e-11, atol=1e-12)
    assert np.shape(found) == np.shape(EXPECTED[text](Named(values)))


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_elementwise_function_is_a_word(shapes, point, name):
    values = point(domains={"X": "unit"})
    found = read(f"{name}(X)", shapes=shapes).evaluate(values)
    np.testing.assert_array_equal(found, FUNCTIONS[name].value(values["X"]))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("x'*y", "x'*y"),
        ("tr(x'*y)", "x'*y"),
        ("det(x'*y)", "x'*y"),
        ("sum(x'*y)", "x'*y"),
        ("diag(x'*y)", "x'*y"),
        ("diagvec(x'*y)", "x'*y"),
        ("vec(x'*y)", "x'*y"),
        ("rowsum(x'*y)", "x'*y"),
        ("colsum(x'*y)", "x'*y"),
        ("mean(x'*y)", "x'*y"),
        ("(x'*y)'", "x'*y"),
        ("reshape(x'*y, 1, 1)", "x'*y"),
        ("logdet(x'*x)", "log(x'*x)"),
        ("inv(x'*y)", "1/(x'*y)"),
        ("norm2(x'*y)", "abs(x'*y)"),
        ("norm1(x'*y)", "abs(x'*y)"),
        ("kron(x'*y, X)", "x'*y*X"),
        ("kron(X, x'*y)", "x'*y*X"),
        ("one*X", "tr(one)*X"),
        ("X/one", "X/tr(one)"),
        ("one'", "tr(one)"),
        ("x'*y*S", "(x'*y)*S"),
        ("X*b*one", "one*X*b"),
    ],
)
def test_a_1x1_matrix_is_a_scalar(shapes, point, text, value):
    expr, other = (read(t, shapes=shapes) for t in (text, value))
    assert expr.shape == other.shape
    np.testing.assert_allclose(expr.evaluate(point()), other.evaluate(point()), rtol=1e-12)


def test_the_node_of_the_1x1_rule(shapes):
    assert isinstance(read("x'*S2*x", shapes=shapes | {"S2": ("n", "n")}), Item)
    assert read("one", shapes=shapes).is_variable


def test_batchnorm(shapes, point):
    values = point()
    X, b = values["X"], values["b"]
    for ddof in (0, 1):
        C = X - X.mean(0)
        wanted = C / np.sqrt((C**2).sum(0) / (5 - ddof) + 0.1) * b.T + 2 * b.T
        found = read(f"batchnorm(X, b, 2*b, 0.1, {ddof})", shapes=shapes).evaluate(values)
        np.testing.assert_allclose(found, wanted, rtol=1e-12)
    bare = read("batchnorm(X, ddof=1)", shapes=shapes)
    assert bare is read("batchnorm(X, eps=1e-5, ddof=1)", shapes=shapes)
    np.testing.assert_allclose(bare.evaluate(values), C / np.sqrt(X.var(0, ddof=1) + 1e-5))
