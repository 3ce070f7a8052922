"""Matrix expressions, their derivatives, and the proofs of these."""

from matbackprop.symbolic import values  # noqa: F401 - importing enters the numerical values

__all__: list[str] = []
