import pytest

from matbackprop.symbolic.dimension import Dim
from matbackprop.symbolic.writing.latex import to_latex
from matbackprop.symbolic.writing.names import dimension, symbol
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
        ("x.bar", "x.bar", r"\mathrm{x.bar}"),
    ],
)
def test_symbol(name, unicode, latex):
    assert to_unicode(symbol(name)) == unicode
    assert to_latex(symbol(name)) == latex


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
