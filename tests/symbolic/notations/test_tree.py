import pytest

from matbackprop.symbolic.notations import Tree, count_nodes, tree_of


@pytest.mark.parametrize(
    ("text", "nodes"),
    [
        ("x", 1),
        ("0.001", 1),
        ("-x", 2),
        ("x-y", 3),
        ("X'", 2),
        ("ones(n)", 2),
        ("ones(n)*ones(n)'", 4),
        ("eye(k*p)", 4),
        ("x'*A*x/(x'*A*x)", 6),
        ("(a+b)*(a+b)", 4),
        ("2*X'*(X*b-y)", 9),
        ("S = X'*X; tr(S)", 5),
        ("S = X'*X; T = S*S; tr(T)", 7),
    ],
)
def test_equal_parts_count_once(text, nodes):
    assert count_nodes(tree_of(text)) == nodes


def test_names_numbers_and_calls_of_one_text_are_different():
    assert count_nodes(Tree("operator", "+", (Tree("name", "1"), Tree("number", "1")))) == 3


def test_a_named_argument_counts_its_value():
    assert count_nodes(tree_of("matrix(x, byrow = TRUE)", "r")) == 3


def test_positions_do_not_tell_trees_apart():
    a, b = tree_of("x + (x)"), tree_of("x+x")
    assert a == b
    assert hash(a) == hash(b)
    assert [arg.at for arg in a.args] == [0, 5]


def test_a_tree_that_shares_its_parts_is_walked_once():
    tree = Tree("name", "x")
    for _ in range(200):  # 2^200 leaves, were each visited
        tree = Tree("operator", "*", (tree, tree))
    assert count_nodes(tree) == 201
