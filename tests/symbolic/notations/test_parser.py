import pytest

from matbackprop.symbolic.notations import ParseError, tree_of

MATLAB_PAIRS = [
    ("a+b-c", "(a+b)-c"),
    ("a*b/c", "(a*b)/c"),
    ("a./b.*c", "(a./b).*c"),
    ("a+b*c", "a+(b*c)"),
    ("a*b^c", "a*(b^c)"),
    ("a^b^c", "(a^b)^c"),
    ("a*b'", "a*(b')"),
    ("a^b'", "(a^b)'"),
    ("a'^2", "(a')^2"),
    ("-a^2", "-(a^2)"),
    ("-a*b", "-(a*b)"),
    ("-a+b", "(-a)+b"),
    ("a-b*-c", "a-(b*(-c))"),
    ("a^-b*c", "(a^(-b))*c"),
    ("a*-b*c", "(a*(-b))*c"),
    ("-a'", "-(a')"),
    ("+a", "a"),
    ("2.*x", "2 .* x"),
    ("2.5e-3*x", "(2.5e-3)*x"),
    (".5*x", "(.5)*x"),
    ("1./x'", "1 ./ (x')"),
]
R_PAIRS = [
    ("a * b %*% c", "a * (b %*% c)"),
    ("a / b %*% c", "a / (b %*% c)"),
    ("a %*% b %x% c", "(a %*% b) %x% c"),
    ("a^b^c", "a^(b^c)"),
    ("2^-1", "2^(-1)"),
    ("-x^2", "-(x^2)"),
    ("a %*% b^2", "a %*% (b^2)"),
    ("a - b > 0", "(a - b) > 0"),
    ("2.*x", "2. * x"),
    ("determinant(A)$modulus + 1", "(determinant(A)$modulus) + 1"),
]


@pytest.mark.parametrize(("text", "grouped"), MATLAB_PAIRS)
def test_precedence_in_matlab(text, grouped):
    assert tree_of(text) == tree_of(grouped)


@pytest.mark.parametrize(("text", "grouped"), R_PAIRS)
def test_precedence_in_r(text, grouped):
    assert tree_of(text, "r") == tree_of(grouped, "r")


@pytest.mark.parametrize(
    ("notation", "texts"),
    [
        ("matlab", ("S = a*b; S+c", "S = a*b\nS+c", "S = a*b;\n\nS +\n c\n", "S = (a\n*b); S+c")),
        (
            "r",
            ("S <- a*b; S+c", "S = a*b\nS+c", "S <- a*b # a product\nS +\n c", "S<-(a\n*b); S+c"),
        ),
    ],
)
def test_statements_end_at_lines_and_semicolons(notation, texts):
    first, *others = (tree_of(text, notation) for text in texts)
    assert [arg.text for arg in first.args] == ["=", "+"]
    assert all(other == first for other in others)


def test_r_strings_and_dotted_names():
    tree = tree_of("""sweep(x.bar, 2, v, '-')""", "r")
    assert tree == tree_of("""sweep(x.bar, 2, v, "-")""", "r")
    assert tree.args[0].text == "x.bar"
    assert tree.args[3].kind == "string"


@pytest.mark.parametrize(
    ("notation", "text", "column", "message"),
    [
        ("matlab", "x'*(A*x", 7, r"the end of the text; `\)` was wanted, for the `\(` in column 4"),
        ("matlab", "x'*(A x)", 6, r"`A \* B`"),
        ("matlab", "x' A", 3, r"came to `A`; an operator was wanted. A product needs its sign"),
        ("matlab", "(a))", 3, "one `\\)` too many"),
        ("matlab", "a +", 3, "the end of the text; a value was wanted"),
        ("matlab", "a * / b", 4, "came to `/`; a value was wanted"),
        ("matlab", "X %*% y", 2, r"`%\*%`, which is not of this notation. Write \*"),
        ("matlab", "X @ y", 2, r"Write \*"),
        ("matlab", "A \\ b", 2, r"Write inv\(A\)\*b"),
        ("matlab", "A[1]", 1, "Write parentheses"),
        ("matlab", "a & b", 2, "`&`, which is not of this notation"),
        ("matlab", "f(a b)", 4, "`\\)` was wanted"),
        ("matlab", "f(a,)", 4, "came to `\\)`; a value was wanted"),
        ("matlab", "a; b", 0, "only the last statement may be without a name"),
        ("matlab", "", 0, "an expression was wanted"),
        ("matlab", " ;\n ", 4, "an expression was wanted"),
        ("matlab", "S = ; S", 4, "came to `;`; a value was wanted"),
        ("matlab", "X’*y", 1, "Write '"),
        ("matlab", "X′", 1, "Write '"),
        ("matlab", "Xᵀ*y", 1, "came to `ᵀ`, which is not of this notation. Write '"),
        ("matlab", "2 + xy²", 6, r"Write \^2, or \.\^2 entry by entry"),
        ("matlab", "x³", 1, r"Write \^3"),
        ("matlab", "A⁻¹", 1, r"Write inv\(A\)"),
        ("matlab", "a·b", 1, r"Write \*"),
        ("matlab", "a × b", 2, r"Write \*"),
        ("matlab", "a − b", 2, "Write -"),
        ("matlab", "‖x‖", 0, r"Write norm2\(x\)"),
        ("matlab", "∑x", 0, r"Write sum\(X\)"),
        ("matlab", "x₁", 1, "Write 1"),
        ("matlab", "µ", 0, "Write μ"),
        ("matlab", "x % note", 2, r"Write \* for a product; there are no comments"),
        ("matlab", "x # note", 2, "there are no comments"),
        ("matlab", "x == y", 2, "Write = once"),
        ("matlab", "1:3", 1, "there are no ranges"),
        ("r", "Xᵀ", 1, r"Write t\(X\)"),
        ("r", "X′", 1, r"Write t\(X\)"),
        ("r", "x²", 1, r"Write \^2"),
        ("r", "x·y", 1, r"Write %\*% for matrices, \* entry by entry"),
        ("r", "‖x‖", 0, r'Write norm\(X, "F"\)'),
        ("r", "2 * if (a > 0) a", 4, "`if`, which is not of this notation. Write pmax"),
        ("r", "function(x) x", 0, "Write its body alone"),
        ("r", "for (i in x) x", 0, "there are no loops"),
        ("r", "1:3", 1, "there are no ranges"),
        ("r", "a == b", 2, "Write = once"),
        ("r", "x |> sum()", 2, "Write the call itself"),
        ("r", "base::sum(x)", 4, "Write the function without its package"),
        ("r", "`x`", 0, "Write plain names"),
        ("r", "X .* y", 2, r"Write \*"),
        ("r", "X'", 1, r"Write t\(X\)"),
        ("r", "X' %*% y'", 1, r"A transpose is `t\(X\)`"),
        ("r", "X[1, ]", 1, "there are no indices"),
        ("r", "A %in% B", 2, r"one of %\*%"),
        ("r", "X y", 2, r"A product needs its sign: `A %\*% B`"),
        ("r", "2 -> x", 2, "Write name <- value"),
        ("r", "(a\n+ b", 6, r"for the `\(` in column 1"),
    ],
)
def test_errors_point_at_the_character(notation, text, column, message):
    with pytest.raises(ParseError, match=message) as caught:
        tree_of(text, notation)
    assert caught.value.position == column
    assert caught.value.text == text
    assert isinstance(caught.value, ValueError)


def test_the_caret_stands_under_the_character():
    with pytest.raises(ParseError) as caught:
        tree_of("S = X'*X\nT = S*(\nX y)")
    assert str(caught.value).splitlines()[-2:] == ["  X y)", "    ^"]


def test_of_a_long_line_the_part_around_is_shown():
    with pytest.raises(ParseError) as caught:
        tree_of("+".join(["x"] * 300) + "+$+" + "+".join(["x"] * 300))
    line, caret = str(caught.value).splitlines()[-2:]
    assert line[caret.index("^")] == "$"
    assert len(line) < 100


def test_nesting_has_a_limit():
    tree_of("(" * 100 + "x" + ")" * 100)
    with pytest.raises(ParseError, match="stands in more than 150 others"):
        tree_of("(" * 1000 + "x" + ")" * 1000)


def test_a_sum_may_be_long():
    assert tree_of("+".join(["x"] * 5000)).text == "+"
