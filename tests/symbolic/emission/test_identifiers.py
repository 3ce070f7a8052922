"""Names that a language accepts, each once."""

import pytest

from matbackprop.symbolic.emission.identifiers import Identifiers


@pytest.mark.parametrize(
    ("name", "python", "ascii_name"),
    [
        ("x", "x", "x"),
        ("lambda", "lambda_", "lambda_"),
        ("x.bar", "x_bar", "x.bar"),
        ("_x", "v_x", "v_x"),
        ("1a", "v1a", "v1a"),
        ("Γ1", "Γ1", "Gamma1"),
        ("λ", "λ", "lambda_"),
        ("é", "é", "u00E9"),
        ("ﬁt", "fit", "fit"),
        ("", "v", "v"),
    ],
)
def test_names_become_identifiers(name, python, ascii_name):
    assert Identifiers({"lambda"}, ascii_only=False).take(name) == python
    assert Identifiers({"lambda"}, ascii_only=True).take(name) == ascii_name
    assert python.isidentifier()
    assert ascii_name.isascii()


def test_names_that_may_stay_do():
    names = Identifiers({"lambda"}, ascii_only=False)
    assert names.take_all(["lambda", "lambda_"]) == {"lambda": "lambda__", "lambda_": "lambda_"}


def test_fresh_names_pass_over_those_in_use():
    names = Identifiers(set(), ascii_only=False)
    names.take_all(["t1", "t3"])
    assert [names.fresh(), names.fresh()] == ["t2", "t4"]


def test_a_copy_goes_its_own_way():
    names = Identifiers(set(), ascii_only=False)
    assert names.copy().take("x") == "x"
    assert names.take("x") == "x"
