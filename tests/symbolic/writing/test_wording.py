import json

import pytest

from matbackprop.symbolic.rules.names import MOVE_NAMES, RULE_NAMES
from matbackprop.symbolic.writing.forms import Change, Symbol
from matbackprop.symbolic.writing.wording import Wording, in_markdown, listed, sentence

dmu = Change(Symbol("mu"))
WORDS = Wording("what stands before ", dmu)


def test_is_its_unicode():
    assert WORDS == "what stands before dμ"
    assert json.dumps(WORDS, ensure_ascii=False) == '"what stands before dμ"'
    assert WORDS.parts == ("what stands before ", dmu)


def test_listed():
    both = listed(["the sum rule", WORDS])
    assert both == "the sum rule; what stands before dμ"
    assert in_markdown(both) == r"the sum rule; what stands before $\mathrm{d} \mu$"
    assert listed([]) == ""


def test_sentence():
    assert sentence("the sum rule") == "The sum rule"
    assert in_markdown(sentence(WORDS)) == r"What stands before $\mathrm{d} \mu$"
    assert sentence(Wording(dmu, " last")) == "dμ last"
    assert sentence("tr(AᵀB) = vec(A)ᵀvec(B)") == "tr(AᵀB) = vec(A)ᵀvec(B)"
    assert sentence("") == ""


@pytest.mark.parametrize("name", sorted({*RULE_NAMES.values(), *MOVE_NAMES.values()}))
def test_formulas_in_names_of_rules_are_in_latex(name):
    text = in_markdown(name)
    assert text.isascii()
    assert ("$" in text) == (not name.isascii())


def test_the_longest_formula_is_found():
    assert in_markdown("tr(AᵀB) = vec(A)ᵀvec(B)").count("$") == 2
