"""Expressions and derivations as text: LaTeX, Unicode, MathML, and pages made of these.

`form_of` turns an expression into a form: signs, quotients, the order of terms and what binds
how tightly are settled there, once. A vocabulary then spells the form.
"""

from matbackprop.symbolic.writing.definitions import with_definitions
from matbackprop.symbolic.writing.latex import to_latex
from matbackprop.symbolic.writing.mathml import to_mathml
from matbackprop.symbolic.writing.unicode import to_unicode

__all__ = ["to_latex", "to_mathml", "to_unicode", "with_definitions"]
