"""Matrix expressions, their derivatives, and the proofs of these.

>>> from matbackprop import symbolic
>>> L = symbolic.parse("tr(X'*A*X)", shapes={"X": ("n", "p"), "A": ("n", "n")})
>>> print(symbolic.derive(L, wrt="X").result)
(A+A')*X
"""

from matbackprop.symbolic.certification.certificate import (
    Certificate,
    CertificateError,
    DomainError,
)
from matbackprop.symbolic.derivations.board import StepError
from matbackprop.symbolic.derivations.derivation import Derivation, Derivations
from matbackprop.symbolic.door import derive, hessian, hvp, jacobian, parse, variable
from matbackprop.symbolic.expressions import values  # noqa: F401 - importing enters the numerical values
from matbackprop.symbolic.expressions.expression import Expr
from matbackprop.symbolic.expressions.tables import MissingRuleError
from matbackprop.symbolic.notations import ParseError
from matbackprop.symbolic.simplification import simplify

__all__ = [
    "Certificate",
    "CertificateError",
    "Derivation",
    "Derivations",
    "DomainError",
    "Expr",
    "MissingRuleError",
    "ParseError",
    "StepError",
    "derive",
    "hessian",
    "hvp",
    "jacobian",
    "parse",
    "simplify",
    "variable",
]
