import re
from importlib import import_module

import pytest

pytest.importorskip("latex2mathml", reason="renders formulas; comes with the extra `docs`")
pages = import_module("mathml")


def text(mathml):
    return re.sub("<[^>]*>", "", mathml)


@pytest.mark.parametrize(
    ("latex", "letters"),
    [
        (r"X\Gamma_1", "XΓ1"),
        (r"\mathbf{1}^\top S", "𝟏⊤S"),
        (r"\boldsymbol{\Gamma}_1", "𝚪1"),
        (r"\boldsymbol{x}", "𝒙"),
        (r"\operatorname{diag}(\sigma)^{-1}", "diag(σ)−1"),
        (r"\mathrm{d}R, \mathrm{ddof}", "dR,ddof"),
        (r"\lVert x\rVert_2", "‖x‖2"),
        (r"\begin{cases} h & h > 0 \\ 0 & \text{otherwise}\end{cases}", "{hh&gt;00otherwise"),
    ],
)
def test_letters(latex, letters):
    assert text(pages.mathml(latex)) == letters


@pytest.mark.parametrize("name", ["aligned", "align*", "split", "pmatrix", "bmatrix", "cases"])
def test_environments_become_tables(name):
    source = rf"\begin{{{name}}} a & b \\ c & d \end{{{name}}}"
    assert pages.mathml(source).count("<mtr>") == 2


def test_lines_without_environment_are_stacked():
    assert pages.mathml(r"a &= b \\ &= c", display=True).count("<mtr>") == 2


def test_each_matrix_keeps_its_brackets():
    source = r"A = \begin{pmatrix} 1 \end{pmatrix} \begin{pmatrix} 1 \\ 2 \end{pmatrix}"
    assert pages.mathml(source).count("<mrow><mo>(</mo><mtable>") == 2


def test_operator_names_have_no_relation_space():
    assert '<mo lspace="0" rspace="0">tr</mo>' in pages.mathml(r"\operatorname{tr}(A)")
    assert '<mo lspace="0.167em" rspace="0.167em">vec</mo>' in pages.mathml(
        r"B\operatorname{vec} X"
    )


@pytest.mark.parametrize("display", [False, True])
def test_display(display):
    assert pages.mathml("x", display=display).startswith(
        f'<math display="{"block" if display else "inline"}">'
    )


@pytest.mark.parametrize(
    ("latex", "complaint"),
    [
        (r"\foo{x}", r"`\\foo` is unknown"),
        (r"\label{x}", r"`\\label` is unknown"),
        (r"x}", "`}` is unknown or out of place"),
        (r"a & b", "an `&` outside an environment"),
        (r"\begin{foo} x \end{foo}", "no environment `foo`"),
        (r"\frac{1}{", r"NoAvailableTokensError: \\frac"),
        (r"\left( x", "ExtraLeftOrMissingRightError"),
        (r"a^b^c", "DoubleSuperscriptsError"),
    ],
)
def test_bad_formulas_are_refused(latex, complaint):
    with pytest.raises(pages.FormulaError, match=complaint):
        pages.mathml(latex)


def test_a_derivative_is_set_tight():
    element = pages.mathml(r"\partial R/\partial\beta")
    assert element.count('<mo lspace="0" rspace="0">') == 3


def test_a_prime_is_no_script():
    element = pages.mathml("a'(H)")
    assert '<mi>a</mi><mo lspace="0" rspace="0">′</mo>' in element
    assert "msup" not in element
    assert "<msup><mi>a</mi><mn>2</mn></msup>" in pages.mathml("a^2")
