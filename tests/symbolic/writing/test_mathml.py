from xml.etree import ElementTree

import pytest

from matbackprop.symbolic.expressions.dimension import Dim
from matbackprop.symbolic.expressions.expression import Variable
from matbackprop.symbolic.expressions.nodes import Norm2
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


def test_scripts_of_a_norm_stand_above_each_other():
    bar = '<mo form="{}" stretchy="false">‖</mo>'
    last = f"<msubsup>{bar.format('postfix')}<mn>2</mn><mn>2</mn></msubsup>"
    x = Variable("x", (Dim.of("n"), Dim.of(1)))
    text = f"<mrow>{bar.format('prefix')}<mi>x</mi>{last}</mrow>"
    assert to_mathml(Norm2(x) ** 2) == f"<math>{text}</math>"


def test_display():
    assert to_mathml(Variable("x", ()), display=True) == '<math display="block"><mi>x</mi></math>'
