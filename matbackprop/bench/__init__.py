"""How fast it is, beside other engines: ratios from one run on one machine."""

from matbackprop.bench.layers import LAYER_CASES, bench_layers

__all__ = ["LAYER_CASES", "bench_layers"]
