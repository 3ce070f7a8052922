"""Matrix expressions, their derivatives, and the proofs of these.

>>> from matbackprop import symbolic
>>> L = symbolic.parse("tr(X'*A*X)", shapes={"X": ("n", "p"), "A": ("n", "n")})
>>> print(symbolic.derive(L, wrt="X").result)
(A+A')*X
"""

from matbackprop.symbolic import values  # noqa: F401 - importing enters the numerical values
from matbackprop.symbolic.board import StepError
from matbackprop.symbolic.certificate import Certificate, CertificateError, DomainError
from matbackprop.symbolic.derivation import Derivation, Derivations
from matbackprop.symbolic.door import derive, hessian, hvp, jacobian, parse, variable
from matbackprop.symbolic.expression import Expr
from matbackprop.symbolic.notations import ParseError
from matbackprop.symbolic.simplification import simplify
from matbackprop.symbolic.tables import MissingRuleError

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
