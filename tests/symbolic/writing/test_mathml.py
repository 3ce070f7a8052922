from xml.etree import ElementTree

import pytest

from matbackprop.symbolic.expression import Variable
from matbackprop.symbolic.writing import to_mathml

# Children that an element must have, by its name.
CHILDREN = {"msup": 2, "msub": 2, "msubsup": 3, "mfrac": 2, "mover": 2}


def test_is_well_formed(spelling):
    root = ElementTree.fromstring(to_mathml(spelling[0]))
    for element in root.iter():
        assert len(element) == CHILDREN.get(element.tag, len(element)), element.tag


def test_says_what_unicode_says(spelling):
    """The letters are the same; scripts and fractions are elements instead of signs."""
    expr, text, _ = spelling
    shown = "".join(ElementTree.fromstring(to_mathml(expr)).itertext())
    for letter in "ABXxyσΓλ⊙⊘⊗‖|":
        assert (letter in shown) == (letter in text), letter


@pytest.mark.parametrize(
    ("name", "element"),
    [
        ("x", "<mi>x</mi>"),
        ("Gamma", '<mi mathvariant="normal">Γ</mi>'),
        ("x1", "<msub><mi>x</mi><mn>1</mn></msub>"),
        (
            "xbar",
            '<mover accent="true"><mi>x</mi><mo stretchy="false">¯</mo></mover>',
        ),
    ],
)
def test_letters(name, element):
    assert to_mathml(Variable(name, ())) == f"<math>{element}</math>"


def test_display():
    assert to_mathml(Variable("x", ()), display=True) == '<math display="block"><mi>x</mi></math>'
