import importlib.util
import json
import subprocess
import sys
from dataclasses import FrozenInstanceError
from xml.etree import ElementTree

import numpy as np
import pytest

from matbackprop.errors import OptionError
from matbackprop.symbolic import Derivation, Derivations, derive, hessian, hvp, jacobian, parse
from matbackprop.symbolic.writing.wording import in_markdown, sentence

SHAPES = {
    "X": ("n", "p"),
    "b": ("p", 1),
    "y": ("n", 1),
    "A": ("n", "n"),
    "S": ("n", "n"),
    "Gamma1": ("p", "k"),
    "Gamma2": ("k", 1),
}
NETWORK = "H = tanh(X*Gamma1); norm2(H*Gamma2-y)^2/n"


@pytest.fixture(scope="module")
def ols():
    return derive(parse("norm2(X*b-y)^2", shapes=SHAPES), "b")


@pytest.fixture(scope="module")
def network():
    return derive(parse(NETWORK, shapes=SHAPES), ("Gamma1", "Gamma2"))


def test_is_frozen(ols):
    with pytest.raises(FrozenInstanceError):
        ols.kind = "jacobian"


def test_steps_are_found_once(ols):
    assert ols.steps is ols.steps
    assert ols.steps[0].form is ols.source
    assert ols.steps[-1].form is ols.result


def test_an_unknown_kind_is_refused(ols):
    with pytest.raises(OptionError, match="kind"):
        Derivation(ols.source, ols.wrt, "gradiant", ols.result, ols.certificate)


def test_latex(ols, network):
    assert ols.to_latex() == r"\frac{\partial L}{\partial b} = 2 X^\top (X b - y)"
    assert network["Gamma1"].to_latex() == "\n".join(
        [
            r"\begin{aligned}",
            r"\frac{\partial L}{\partial \Gamma_1} &= \frac{2}{n} X^\top "
            r"((H \Gamma_2 - y) \Gamma_2^\top \odot (1 - H^{\odot 2})) \\",
            r"\text{where } H &= \tanh(X \Gamma_1)",
            r"\end{aligned}",
        ]
    )


@pytest.mark.parametrize(
    ("build", "text", "name", "line"),
    [
        (derive, "norm2(X*b-y)^2", "b", "<gradient: ∂L/∂b = 2Xᵀ(Xb − y)>"),
        (jacobian, "X*b-y", "b", "<jacobian: ∂F/∂bᵀ = X>"),
        (jacobian, "A*X", "X", "<jacobian: ∂vec(F)/∂vec(X)ᵀ = Iₚ ⊗ A>"),
        (hessian, "norm2(X*b-y)^2", "b", "<hessian: ∂²L/(∂b∂bᵀ) = 2XᵀX>"),
        (hvp, "norm2(X*b-y)^2", "b", "<hvp: d(∂L/∂b) = 2XᵀXV>"),
    ],
)
def test_repr(build, text, name, line):
    assert repr(build(parse(text, shapes=SHAPES), name)) == line


def test_vech():
    L = parse("logdet(S)", shapes=SHAPES, assume={"S": "spd"})
    derivation = derive(L, "S", vech=True)
    assert repr(derivation) == "<vech gradient: ∂L/∂vech(S) = Dₙᵀ vec(S⁻¹)>"
    assert "Gradient with respect to vech(S) (n×n)" in str(derivation)


def test_terminal(ols):
    assert str(ols).splitlines()[:8] == [
        "Gradient with respect to b (p×1)",
        "",
        "  L = ‖Xb − y‖₂²",
        "  dL = 2(Xb − y)ᵀ d(Xb − y)   the square of a norm, d‖E‖² = 2 tr(Eᵀ dE)",
        "     = 2(Xb − y)ᵀX db         the sum rule; the product rule",
        "",
        "  ∂L/∂b = 2Xᵀ(Xb − y)         dL = gᵀ db, hence g",
        "",
    ]
    assert "Checked at 3 random points" in str(ols)


@pytest.mark.parametrize("width", [48, 60, 88, 140])
def test_terminal_keeps_to_its_width(network, width):
    for line in network.to_text(width).splitlines():
        assert len(line.replace("\u0302", "")) <= width, line


def test_myst(ols, network):
    text = ols.to_myst()
    assert text.startswith("**Gradient with respect to $b$ (p×1)**, given\n\n$$\nL = ")
    assert text.count("| $\\displaystyle = ") == len(ols.steps) - 2
    for step in ols.steps[1:-1]:
        assert f"| {in_markdown(sentence(step.rule))} | " in text
    hence = r"$\mathrm{d} L = g^\top \, \mathrm{d} b$, hence $g$"
    assert f"**Result**: {hence}\n\n$$\n{ols.to_latex()}\n$$\n\nChecked at" in text
    assert text.count(ols.to_latex()) == 1
    assert text.endswith("(allowed 1e-8).\n")  # no sign needs to be explained
    assert r"| **Stage** $H$: what stands before $\mathrm{d} H$ |" in network.to_myst()


def test_names_that_mean_one_symbol_are_told_apart():
    L = parse("sum(Xhat.^2) + 2*sum(X_hat.^2)", shapes={"Xhat": "n", "X_hat": "n"})
    for derivation, result in [
        (derive(L, "X_hat"), "∂L/∂X_hat = 4 X_hat"),
        (derive(L, "Xhat"), "∂L/∂X̂ = 2X̂"),
        (hessian(L, "X_hat"), "∂²L/(∂X_hat∂X_hatᵀ) = 4Iₙ"),
    ]:
        pages = derivation.to_text(), repr(derivation)
        assert all(result in page for page in pages), pages
        assert r"\mathrm{X\_hat}" in derivation.to_myst() or "∂X̂" in result
    assert [str(step) for step in derive(L, "X_hat").steps][-1] == "∂L/∂X_hat = 4 X_hat"
    (*_, gradient, _, _) = hessian(L, "X_hat").steps
    assert "X_hat" in str(gradient)


def test_the_title_says_what_is_assumed():
    L = parse(
        "logdet(S) + tr(D)",
        shapes={"S": "n,n", "D": "n,n"},
        assume={"S": "spd", "D": "diagonal"},
    )
    first = str(derive(L, "S")).splitlines()[0]
    assert first.startswith("Gradient with respect to S (n×n); ")
    for words in ("S symmetric positive definite", "D diagonal"):
        assert words in first.split("; ")


def test_html_stands_alone(network):
    page = network.to_html()
    body = page[page.index("<body>") : page.index("</body>") + len("</body>")]
    root = ElementTree.fromstring(body)
    assert len(root.findall("h1")) == 2
    for word in ("http", "<script", "@import", "url("):
        assert word not in page
    rules = ["".join(part.itertext()) for part in root.iter() if part.get("class") == "rule"]
    assert rules == [
        step.rule if step.rule.startswith("dL") else step.rule[0].upper() + step.rule[1:]
        for one in network.values()
        for step in one.steps[1:]
    ]
    assert page.count('class="stage"') == 1


def test_dict(network):
    derivation = network["Gamma1"]
    data = json.loads(json.dumps(derivation.to_dict()))
    assert data["kind"] == "gradient"
    assert data["wrt"] == "Gamma1"
    assert data["expression"] == "H = tanh(X*Gamma1); norm2(H*Gamma2-y)^2/n"
    assert data["result"]["unicode"] == "2Xᵀ((HΓ₂ − y)Γ₂ᵀ ⊙ (1 − H^⊙2))/n"
    assert data["result"]["latex"] == derivation.to_latex()
    assert data["certificate"]["ok"] is True
    assert [step["text"] for step in data["steps"]] == [str(step) for step in derivation.steps]
    assert [step["stage"] for step in data["steps"] if step["stage"]] == ["H"]
    assert max(step["error"] for step in data["steps"]) < 1e-9
    assert network.to_dict().keys() == {"Gamma1", "Gamma2"}
    reread = parse(data["result"]["matlab"], shapes=SHAPES)
    values = point()
    np.testing.assert_allclose(
        reread.evaluate(values), derivation.result.evaluate(values), rtol=1e-12
    )


def point():
    rng = np.random.default_rng(1)
    sizes = {"n": 5, "p": 3, "k": 2, 1: 1}
    return {
        name: rng.standard_normal([sizes[size] for size in SHAPES[name]])
        for name in ("X", "Gamma1", "Gamma2", "y")
    }


def test_numpy(network):
    names, values = {}, point()
    exec(network.to_numpy(), names)
    found = names["gradient"](**values)
    for name, derivation in network.items():
        np.testing.assert_allclose(found[name], derivation.result.evaluate(values), rtol=1e-12)
    names = {}
    exec(network["Gamma2"].to_numpy(), names)
    np.testing.assert_allclose(names["gradient"](**values), found["Gamma2"], rtol=1e-12)
    value = network["Gamma2"].source.evaluate(values)
    np.testing.assert_allclose(names["value"](**values), value, rtol=1e-12)


def test_r(network):
    text = network.to_r()
    assert "value <- function(X, Gamma1, Gamma2, y)" in text
    assert "gradient <- function(X, Gamma1, Gamma2, y)" in text


def test_a_direction_is_an_argument():
    text = hvp(parse("norm2(X*b-y)^2", shapes=SHAPES), "b", "v").to_numpy()
    assert "def hvp(X, b, y, v):" in text


def test_notebooks(ols, network):
    assert ols._repr_latex_() == f"$$\n{ols.to_latex()}\n$$"
    assert ols._repr_markdown_().startswith(ols._repr_latex_())
    assert network._repr_markdown_().count("\n\nChecked at") == 2
    assert network._repr_markdown_().count("(allowed 1e-8).") == 2


def test_several(network):
    assert isinstance(network, Derivations)
    assert list(network) == ["Gamma1", "Gamma2"]
    assert network.to_latex().count(r"\text{where } H") == 2
    assert str(network).count("Gradient with respect to") == 2
    assert network.to_myst().count("**Result**") == 2


def test_names_of_result_and_steps_do_not_mix():
    text = "norm2(tanh(A*X)*b + tanh(A*X)*b.*exp(tanh(A*X)*b)-y)^2/n + sum(tanh(A*X)*b)"
    derivation = derive(parse(text, shapes=SHAPES), "X")
    given, result = str(derivation).split("  dL = ")[0], str(derivation).split("  where ")[1]
    assert "h₁ = tanh(AX) b" in given
    assert "u₁ = h₁ ⊙ exp(h₁)" in result
    assert "h₁ =" not in result
    assert str(derivation).count(" = Aᵀ((1 − H₁^⊙2) ⊙ ") == 1  # the last step is the result


def test_light():
    code = "import sys, matbackprop.symbolic; print(*sys.modules)"
    loaded = subprocess.check_output([sys.executable, "-c", code], text=True).split()
    heavy = {"pandas", "rich", "typer", "rpy2", "matplotlib"}
    assert not heavy & {name.partition(".")[0] for name in loaded}
    assert importlib.util.find_spec("pandas")


def test_repeated_parts_of_a_definition_are_stages_and_named_so_in_the_result():
    text = "Xhat <- scale(X %*% Gamma1); sum((y - relu(Xhat) %*% Gamma2)^2)"
    derivation = derive(parse(text, notation="r", shapes=SHAPES), "Gamma1")
    given, result = str(derivation).split("  dL = ")[0], str(derivation).split("  ∂L/∂Γ₁ = ")[-1]
    assert "  H₁ = (Iₙ − 1ₙ1ₙᵀ/n)XΓ₁\n" in given
    assert given.count("1ₙ1ₙᵀ") == 1
    assert "H₁ diag(" in result
    assert "where " in result
    assert "H₁ =" not in result  # it is given above


def test_equal_changes_are_one():
    texts = [str(step) for step in derive(parse("C = A*X; sum(C.*C)", shapes=SHAPES), "X").steps]
    assert "dL = 2·1ₙᵀ(C ⊙ dC)1ₚ" in texts


def test_no_formula_is_said_twice(ols, network):
    for one in (ols, *network.values()):
        assert one.to_text().count(str(one.steps[-1])) == 1
