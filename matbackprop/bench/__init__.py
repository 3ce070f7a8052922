"""How fast it is, and how compact: measured in one run on one machine.

`bench_layers` times batch norm beside other engines; `bench_symbolic` measures the symbolic
derivatives of the cases in `cases`, their size and their time.
"""

from matbackprop.bench.layers import LAYER_CASES, bench_layers
from matbackprop.bench.symbolic import bench_symbolic

__all__ = ["LAYER_CASES", "bench_layers", "bench_symbolic"]
