from fractions import Fraction

import pytest

from matbackprop.errors import OptionError, ShapeError
from matbackprop.symbolic.expressions.dimension import Dim
from matbackprop.symbolic.expressions.expression import Number, Size
from matbackprop.symbolic.expressions.nodes import Identity, Named
from matbackprop.symbolic.notations import ParseError, read


def position(error):
    """The column that the caret points at, in a one-line text."""
    line, caret = str(error.value).splitlines()[-2:]
    assert set(caret) <= {" ", "^"}
    return len(caret) - 3, line[2:]


@pytest.mark.parametrize(
    ("text", "column", "message"),
    [
        ("norm2(sgimoid(X*b))", 6, r"there is no function `sgimoid`. Write `sigmoid\(x\)`"),
        ("zorp(X)", 0, "there is no function `zorp`. There are .*abs, acos"),
        ("2*t(X)", 2, "Write `X'`"),
        ("X*bb", 2, r"`bb` is neither a variable nor a size of shapes. Is `b` meant\? Give its"),
        ("X*b+quux", 4, r'shapes=\{…, "quux": \("n", "p"\)\}; \("n", 1\) is a column'),
        ("X(b)", 0, r"`X` is no function. A product needs its sign: `X \* \(…\)`"),
        ("2*exp", 2, r"`exp` is a function. Write `exp\(x\)`"),
        ("reshape(X, n)", 0, r"`reshape` lacks columns. Write `reshape\(v, rows, columns\)`"),
        ("2*sum(X, 1)", 2, r"`sum` got 2 arguments. Write `sum\(M\)`"),
        ("ones(b)", 5, r"`m` of `ones\(m, n=…\)` is a size"),
        ("eye(n-n)", 5, "a size is a whole number of at least 1; this is 0"),
        ("eye(1/2)", 5, "a whole number of at least 1; this is 1/2"),
        ("batchnorm(X, b, b, epsilon=1)", 19, "`batchnorm` has no argument `epsilon`"),
        ("X*B", 2, r"Is `b` meant\?"),
        ("Trace(X)", 0, r"Write `tr\(A\)`"),
        ("Tr(X)", 0, r"there is no function `Tr`. Write `tr\(A\)`"),
        ("Q = Q+sum(X); Q", 4, "`Q` is used in its own definition. Choose another name"),
        ("2+1e400", 2, r"`parse\(text, notation=\"matlab\"\)`: numbers go to 1.8e308"),
        ("X.^1e999999999", 3, "numbers go to 1.8e308"),
        ("2*1e-400", 2, "numbers go to 1.8e308, and from 2.2e-308"),
        ("X = 2; X", 0, "`X` is defined here, but is a variable"),
        ("n = 2; X", 0, "`n` is defined here, but is a size"),
        ("A = X; A = X; A", 7, "`A` is defined twice"),
        ("batchnorm(X, b, b, 0.1, 2)", 0, "needs ddof 0 or 1; got 2"),
    ],
)
def test_errors_point_at_what_is_wrong(shapes, text, column, message):
    with pytest.raises(ParseError, match=message) as caught:
        read(text, shapes=shapes)
    assert caught.value.position == column
    assert position(caught) == (column, text)


@pytest.mark.parametrize(
    ("notation", "text", "column", "message"),
    [
        ("matlab", "2*(X*y)", 4, r"`A \* B` needs .* got n×p and n×1. Transposing one of them"),
        ("matlab", "x*y", 1, r"Entry by entry it is `A .\* B`"),
        ("matlab", "X.*y", 1, r"`A .\* B` needs equal shapes; got n×p and n×1. .*`c\*ones\(p\)'`"),
        ("matlab", "X-b'", 1, r"`A - B` needs equal shapes; .*`ones\(n\)\*r`"),
        ("matlab", "X+X'", 1, "Transposing one of them would fit"),
        ("matlab", "X/S", 1, r"divides by a scalar; .*`A ./ B`"),
        ("matlab", "X^2", 1, r"needs a square matrix; got n×p. Entry by entry it is `A .\^ k`"),
        ("matlab", "S^lam", 1, "needs a whole number k"),
        ("matlab", "1+tr(X)", 2, "needs a square matrix; got n×p"),
        ("matlab", "softmax(y)", 0, "go along each row"),
        ("matlab", "batchnorm(X, y)", 0, "gamma as a column of length p"),
        ("matlab", "batchnorm(lam)", 0, "takes a matrix X; got a scalar"),
        ("matlab", "batchnorm(X, b, b, X)", 0, "needs a scalar eps; got n×p"),
        ("r", "X * b", 2, r"The matrix product is `A %\*% B`"),
        ("r", "X %*% y", 2, r"Transposing one of them, `t\(A\)`, would fit"),
        ("r", "lam %*% X", 4, r"By a number it is `s \* A`"),
        ("r", "(t(y) %*% y) * X", 13, r"`drop\(…\)` makes a number of it"),
        ("r", "X - colMeans(X)", 2, r'`sweep\(X, 2, v, "-"\)`'),
        ("r", "X * y", 2, r'`sweep\(X, 1, v, "\*"\)`, or `c\(v\)`'),
        ("r", "X + t(X)", 2, "Transposing one of them would fit"),
        ("r", "diag(lam)", 0, r"`diag\(s, n\)` is s times"),
        ("r", "diag(b, n)", 0, "needs a column of length n; got p×1"),
        ("r", "sweep(X, 2, y)", 0, "one entry a column of a matrix n×p; got n×1"),
        ("r", "matrix(x, 2, p)", 0, "needs m·n entries, or a vector to repeat"),
        ("r", "y %o% X", 2, "takes two columns"),
        ("r", "scale(lam)", 0, "takes a matrix; got a scalar"),
        ("r", "solve(X)", 0, "needs a square matrix"),
    ],
)
def test_shapes_that_do_not_conform(shapes, notation, text, column, message):
    with pytest.raises(ShapeError, match=message) as caught:
        read(text, notation=notation, shapes=shapes)
    assert position(caught) == (column, text)


@pytest.mark.parametrize(
    ("text", "column", "message"),
    [
        ("inv(S)", 0, r"Write `solve\(A\)`"),
        ("norm(X, '2')", 0, "is the one norm there is"),
        ("norm(X, 2)", 8, "is a quoted string"),
        ("'F'", 0, '"F" is a string where a value was wanted'),
        ("y$modulus", 1, "stands behind `determinant"),
        ("sweep(X, 3, b)", 0, "by rows, 1, or columns, 2"),
        ("sweep(X, 2, b, '%')", 0, 'with one of "-"'),
        ("scale(X, scal = FALSE)", 9, "`scale` has no argument `scal`"),
        ("matrix(X, n, p, byrow = n)", 24, "is TRUE or FALSE"),
        ("b(X)", 0, r"A product needs its sign: `b %\*% \(…\)`"),
    ],
)
def test_errors_in_r(shapes, text, column, message):
    with pytest.raises(ParseError, match=message) as caught:
        read(text, notation="r", shapes=shapes)
    assert caught.value.position == column


def test_an_unknown_notation():
    with pytest.raises(OptionError, match='notation = "matlab", "r"; got \'latex\''):
        read("x", notation="latex", shapes={"x": "n"})


def test_definitions_stay_named(shapes):
    L = read("S1 = X'*X; T = S1+S; tr(T*S1)", shapes=shapes)
    names = [node.name for node in L.nodes() if isinstance(node, Named)]
    assert names == ["S1", "T"]


def test_without_a_last_expression_the_last_definition_is_meant(shapes):
    assert isinstance(read("S1 = X'*X; T = S1+S", shapes=shapes), Named)


def test_a_size_may_be_said_again(shapes):
    text = "n <- nrow(X)\nsum(y) / n"
    assert read(text, notation="r", shapes=shapes) is read("sum(y)/n", shapes=shapes)


def test_numbers_are_exact():
    assert read("2/3", shapes={}) is Number(Fraction(2, 3))
    assert read("-0.1", shapes={}).value * 10 == -1
    assert read("1e-3", shapes={}).value * 1000 == 1
    assert read("1L", notation="r", shapes={}).value == 1


def test_sizes_are_scalars():
    assert read("n", shapes={"X": ("n", 1)}) is Size("n")
    assert read("eye(n*(n+1)/2)", shapes={"X": "n"}) is Identity(Dim.of("n*(n+1)/2"))
    assert read("eye((k+1)^2)", shapes={"X": "k"}) is Identity(Dim.of("k*k+2*k+1"))


def test_pi():
    assert read("2*pi", shapes={}).evaluate({}) == pytest.approx(6.283185307179586)
    assert read("pi", shapes={"pi": ()}).is_variable
