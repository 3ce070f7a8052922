import pytest

from matbackprop.symbolic.expressions.dimension import Dim
from matbackprop.symbolic.writing.latex import to_latex
from matbackprop.symbolic.writing.mathml import to_mathml
from matbackprop.symbolic.writing.names import Symbols, dimension, symbol
from matbackprop.symbolic.writing.unicode import to_unicode


@pytest.mark.parametrize(
    ("name", "unicode", "latex"),
    [
        ("X", "X", "X"),
        ("G1", "G₁", "G_1"),
        ("Gamma12", "Γ₁₂", r"\Gamma_{12}"),
        ("sigma2", "σ₂", r"\sigma_2"),
        ("lam", "λ", r"\lambda"),
        ("epsilonhat", "ε̂", r"\hat{\varepsilon}"),
        ("epsilon", "ε", r"\varepsilon"),
        ("eps", "ε", r"\varepsilon"),
        ("Xhat", "X̂", r"\hat{X}"),
        ("xbar", "x̄", r"\bar{x}"),
        ("betahat", "β̂", r"\hat{\beta}"),
        ("beta_hat", "β̂", r"\hat{\beta}"),
        ("Xhat1", "X̂₁", r"\hat{X}_1"),
        ("mu_x", "μₓ", r"\mu_x"),
        ("x_1", "x₁", "x_1"),
        ("a_q", "a_q", "a_q"),
        ("G_Xhat", "G_X̂", r"G_{\hat{X}}"),
        ("weights", "weights", r"\mathrm{weights}"),
        ("weights_hat", "weightsₕₐₜ", r"\mathrm{weights}_{\mathrm{hat}}"),
        ("that", "t̂", r"\hat{t}"),
        ("hat", "hat", r"\mathrm{hat}"),
        ("_x", "_x", r"\mathrm{\_x}"),
        ("x_", "x_", r"\mathrm{x\_}"),
        ("x__y", "x__y", r"\mathrm{x\_\_y}"),
        ("Σ", "Σ", r"\Sigma"),
        ("δ1", "δ₁", r"\delta_1"),
        ("λhat", "λ̂", r"\hat{\lambda}"),
        ("x.bar", "x.bar", r"\mathrm{x.bar}"),
    ],
)
def test_symbol(name, unicode, latex):
    assert to_unicode(symbol(name)) == unicode
    assert to_latex(symbol(name)) == latex


@pytest.mark.parametrize(
    "names",
    [
        ("Xhat", "X_hat"),
        ("sigma2", "sigma_2"),
        ("λ", "lambda", "lam"),
        ("x_y", "x__y"),
        ("x", "x_", "_x"),
        ("eps", "epsilon", "varepsilon"),
    ],
)
@pytest.mark.parametrize("write", [to_latex, to_unicode, to_mathml])
def test_no_two_names_look_alike(names, write):
    texts = [write(Symbols(names)[name]) for name in names]
    assert len({*texts}) == len(names), texts
    assert texts[0] == write(symbol(names[0]))
    turned = Symbols(reversed(names))
    assert texts == [write(turned[name]) for name in names]


def test_a_name_asked_for_later_stands_back():
    symbols = Symbols(["S_1"])
    assert to_unicode(symbols["S1"]) == "S1"
    assert to_unicode(symbols["S_1"]) == "S₁"


@pytest.mark.parametrize(
    ("text", "unicode"),
    [
        ("n", "n"),
        ("6", "6"),
        ("0", "0"),
        ("n+1", "n + 1"),
        ("n-1", "n − 1"),
        ("2*k*p", "2kp"),
        ("n*n", "n²"),
        ("1-n", "1 − n"),
    ],
)
def test_dimension(text, unicode):
    assert to_unicode(dimension(Dim.of(text))) == unicode
