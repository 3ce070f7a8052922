import pytest
from hypothesis import given
from hypothesis import strategies as st

from matbackprop.symbolic.notations import tree_of
from matbackprop.symbolic.notations.grammar import MATLAB, R
from matbackprop.symbolic.notations.printer import printed
from matbackprop.symbolic.notations.tree import Tree, call, name, number, operator


@pytest.mark.parametrize(
    ("text", "as_printed"),
    [
        ("((a)+b)", "a + b"),
        ("a+(b+c)", "a + (b+c)"),
        ("(a*b)*c", "a*b*c"),
        ("a*(b*c)", "a*(b*c)"),
        ("a-(b-c)", "a - (b-c)"),
        ("(a-b)*c", "(a-b)*c"),
        ("f((a+b), c)", "f(a+b, c)"),
        ("a*b.*c", "(a*b).*c"),
        ("a.*b*c", "(a.*b)*c"),
        ("a*b/c", "a*b/c"),
        ("(a*b)'", "(a*b)'"),
        ("a''", "a''"),
        ("X^2'", "(X^2)'"),
        ("(a^b)^c", "(a^b)^c"),
        ("a^(b^c)", "a^(b^c)"),
        ("a^(b')", "a^(b')"),
        ("a*(-b)", "a*(-b)"),
        ("a+(-b)", "a + (-b)"),
        ("-(a*b)", "-a*b"),
        ("(-a)*b", "(-a)*b"),
        ("(-a)+b", "-a + b"),
        ("-(a+b)", "-(a+b)"),
        ("-(-a)", "-(-a)"),
        ("(-a)'", "(-a)'"),
        ("S=a*b;S+1", "S = a*b; S + 1"),
    ],
)
def test_matlab(text, as_printed):
    assert printed(tree_of(text), MATLAB) == as_printed


@pytest.mark.parametrize(
    ("text", "as_printed"),
    [
        ("a*b%*%c", "a * b %*% c"),
        ("(a*b)%*%c", "(a * b) %*% c"),
        ("a%*%(b*c)", "a %*% (b * c)"),
        ("a/(b%*%c)", "a / (b %*% c)"),
        ("(a%*%b)/c", "a %*% b / c"),
        ("a/(b*c)", "a / (b * c)"),
        ("(a^b)^c", "(a^b)^c"),
        ("a^(b^c)", "a^b^c"),
        ("(-x)^2", "(-x)^2"),
        ("-x^2", "-x^2"),
        ("S<-a;S", "S <- a\nS"),
        ("f(x,byrow=TRUE)", "f(x, byrow = TRUE)"),
        ("g(v,'-')", 'g(v, "-")'),
        ("(a>0)*b", "(a > 0) * b"),
        ("determinant(A%*%B)$modulus", "determinant(A %*% B)$modulus"),
    ],
)
def test_r(text, as_printed):
    assert printed(tree_of(text, "r"), R) == as_printed


LEAVES = st.sampled_from([name("a"), name("b"), number(2), number("0.5"), call("f", name("a"))])


def trees(grammar):
    def grown(inner):
        signs = sorted(set(grammar.binary) - {">", "<"})
        several = st.builds(operator, st.sampled_from(signs), inner, inner)
        single = st.builds(operator, st.sampled_from(["-", *sorted(grammar.postfix)]), inner)
        return several | single | st.builds(lambda a, b: call("g", a, b), inner, inner)

    return st.recursive(LEAVES, grown, max_leaves=12)


@pytest.mark.parametrize("grammar", [MATLAB, R], ids=["matlab", "r"])
@given(data=st.data())
def test_what_is_printed_is_read_back(grammar, data):
    tree: Tree = data.draw(trees(grammar))
    assert tree_of(printed(tree, grammar), grammar.notation) == tree


def test_a_long_sum_is_printed():
    tree = name("x")
    for _ in range(5000):
        tree = operator("+", tree, name("x"))
    assert printed(tree, MATLAB).count("x") == 5001
