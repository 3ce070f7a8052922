"""The numerical proof: where check points are drawn, and what is compared there."""
