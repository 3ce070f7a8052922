"""Matrix expressions, their derivatives, and the proofs of these."""
