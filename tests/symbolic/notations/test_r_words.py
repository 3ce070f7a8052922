import numpy as np
import pytest

from matbackprop.symbolic.expressions.functions import FUNCTIONS
from matbackprop.symbolic.expressions.nodes import Item, Trace
from matbackprop.symbolic.notations import ParseError, read

# What each text means, in the other notation, which has its own tests against NumPy.
MEANING = {
    "t(X) %*% Y": "X'*Y",
    "X * Y / (1 + X^2)": "X.*Y./(1+X.^2)",
    "-X^2": "-(X.^2)",
    "(X^2 + 1)^Y": "(X.^2+1).^Y",
    "x %x% X": "kron(x, X)",
    "kronecker(x, X)": "kron(x, X)",
    "x %o% y": "x*y'",
    "outer(x, b)": "x*b'",
    "solve(S)": "inv(S)",
    "solve(S, b)": "inv(S)*b",
    "crossprod(X)": "X'*X",
    "crossprod(X, Y)": "X'*Y",
    "tcrossprod(X)": "X*X'",
    "tcrossprod(X, Y)": "X*Y'",
    "det(S)": "det(S)",
    "determinant(crossprod(S))$modulus": "logdet(S'*S)",
    "logdet(crossprod(S))": "logdet(S'*S)",
    "diag(b)": "diag(b)",
    "diag(S)": "diagvec(S)",
    "diag(p)": "eye(p)",
    "diag(3)": "eye(3)",
    "diag(nrow(X))": "eye(n)",
    "diag(lam, p)": "lam*eye(p)",
    "diag(1, p)": "eye(p)",
    "diag(b, p)": "diag(b)",
    "diag(c(t(x) %*% x), p)": "x'*x*eye(p)",
    "sum(X * Y)": "sum(X.*Y)",
    "sum(diag(S))": "tr(S)",
    "sum(lam)": "lam",
    "mean(X)": "sum(X)/(n*p)",
    "rowSums(X)": "X*ones(p)",
    "colSums(X)": "X'*ones(n)",
    "rowMeans(X)": "X*ones(p)/p",
    "colMeans(X)": "X'*ones(n)/n",
    "scale(X, scale = FALSE)": "(eye(n)-ones(n)*ones(n)'/n)*X",
    "scale(X, TRUE, FALSE)": "(eye(n)-ones(n)*ones(n)'/n)*X",
    "scale(X, FALSE, FALSE)": "X",
    "scale(X)": "batchnorm(X, eps=0, ddof=1)",
    "scale(X, center = FALSE)": "X./(ones(n)*sqrt(colsum(X.^2)/(n-1)))",
    "scale(X, center = b, scale = 2*b)": "(X-ones(n)*b')./(ones(n)*(2*b)')",
    "sweep(X, 2, colMeans(X))": "(eye(n)-ones(n)*ones(n)'/n)*X",
    "sweep(X, 2, t(b), '*')": "X*diag(b)",
    "sweep(X, 1, x, '/')": "X./(x*ones(p)')",
    "sweep(X, 1, lam, '+')": "X+lam",
    "X - rowMeans(X)": "X-X*ones(p)/p*ones(p)'",
    "exp(X) / rowSums(exp(X))": "softmax(X)",
    "log(rowSums(exp(X)))": "logsumexp(X)",
    "X * c(x) / sqrt(1 + drop(y)^2)": "X.*(x./sqrt(1+y.^2)*ones(p)')",
    "c(X)": "vec(X)",
    "as.vector(X)": "vec(X)",
    "c(x)": "x",
    "drop(t(x))": "x",
    "drop(X)": "X",
    "drop(t(x) %*% y) * X": "x'*y*X",
    "as.numeric(t(x) %*% y) * X": "x'*y*X",
    "as.matrix(x)": "x",
    "as.matrix(lam) %*% t(x)": "lam*x'",
    "t(lam) %x% X": "lam*X",
    "solve(lam)": "1/lam",
    "matrix(X, p, n)": "reshape(X, p, n)",
    "matrix(X, p, n, byrow = TRUE)": "reshape(X, n, p)'",
    "matrix(X, ncol = 1)": "vec(X)",
    "matrix(x, 1)": "x'",
    "matrix(x)": "x",
    "matrix(x, n)": "x",
    "matrix(1, n, 1)": "ones(n)",
    "matrix(0, n, p)": "zeros(n, p)",
    "matrix(lam, n, p)": "lam*ones(n, p)",
    "matrix(x, n, p)": "x*ones(p)'",
    "matrix(b, n, p, byrow = TRUE)": "ones(n)*b'",
    "matrix(t(b), n, p, TRUE)": "ones(n)*b'",
    "matrix(b, byrow = TRUE, ncol = p, nrow = n)": "ones(n)*b'",
    "matrix(nrow = n, lam, p)": "lam*ones(n, p)",
    "scale(scale = FALSE, X)": "(eye(n)-ones(n)*ones(n)'/n)*X",
    "rep(1, n)": "ones(n)",
    "rep(lam, n)": "lam*ones(n)",
    "nrow(X) + 10 * ncol(X) + 100 * length(X)": "n+10*p+100*n*p",
    "NROW(x) + NCOL(x)": "n+1",
    "norm(X, 'F')": "norm2(X)",
    "sqrt(X^2)": "abs(X)",
    "plogis(X) + pnorm(X) + dnorm(X)": "sigmoid(X)+normal_cdf(X)+normal_pdf(X)",
    "log1p(exp(X))": "softplus(X)",
    "expm1(X)": "exp(X)-1",
    "pmax(X, 0)": "relu(X)",
    "pmax(X, Y)": "X.*step(X-Y)+Y.*step(Y-X)",
    "pmin(X, lam)": "lam-relu(lam-X)",
    "X > 0": "step(X)",
    "X < 0": "step(-X)",
    "(X > Y) - (lam > X)": "step(X-Y)-step(lam-X)",
    "commutation(n, p)": "K(n, p)",
    "duplication(p)": "D(p)",
    "softmax(X) %*% logsumexp(t(X))": "softmax(X)*logsumexp(X')",
    "batchnorm(X, b, b, ddof = 1)": "batchnorm(X, b, b, ddof=1)",
    "t(x) %*% y": "x'*y",
    "rep(1, n) %*% X": "ones(n)'*X",
    "c(x) %*% c(y)": "x'*y",
    "colMeans(X) %*% t(b)": "X'*ones(n)/n*b'",
    "t(x) %*% y + lam": "x'*y+lam",
    "mu <- colMeans(X)\nS1 <- t(X) / mu\nS1": "X'./(X'*ones(n)/n*ones(n)')",
}


@pytest.mark.parametrize("text", MEANING)
def test_values(shapes, point, text):
    values = point(domains={"S": "well"}, seed=1)
    found = read(text, notation="r", shapes=shapes)
    wanted = read(MEANING[text], shapes=shapes)
    assert found.shape == wanted.shape
    np.testing.assert_allclose(
        found.evaluate(values), wanted.evaluate(values), rtol=1e-10, atol=1e-12
    )


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_elementwise_function_is_a_word(shapes, name):
    assert read(f"{name}(X)", notation="r", shapes=shapes) is read(f"{name}(X)", shapes=shapes)


def test_a_1x1_matrix_stays_one_until_it_is_dropped(shapes):
    inner = read("drop(t(x) %*% x)", notation="r", shapes=shapes)
    assert isinstance(inner, Item)
    assert read("t(x) %*% x", notation="r", shapes=shapes) is inner
    assert not read("matrix(x, n, 1) %*% (t(x) %*% x)", notation="r", shapes=shapes).is_scalar


def test_the_trace(shapes):
    assert isinstance(read("sum(diag(S))", notation="r", shapes=shapes), Trace)


@pytest.mark.parametrize("text", ["X * x", "X * (x + y)", "v <- x + 1\nX * v", "X * exp(x)"])
def test_only_plain_vectors_run_down(shapes, text):
    # A matrix of one column does not: R stops there.
    with pytest.raises(ValueError, match="needs equal shapes"):
        read(text, notation="r", shapes=shapes)


def test_a_word_of_another_language(shapes):
    for word, remedy in {"inv": "solve", "tr": "sum.diag", "ifelse": "pmax"}.items():
        with pytest.raises(ParseError, match=f"Write `{remedy}"):
            read(f"{word}(S)", notation="r", shapes=shapes)
