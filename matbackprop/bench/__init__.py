"""How fast it is, and how compact: measured in one run on one machine.

`bench_layers` times batch norm beside other engines; `bench_engines` times the one-pass gradient
of the network beside every other way to it, and `bench_offsets` tells what an offset of the data
costs their digits; `bench_symbolic` measures the symbolic derivatives of the cases in `cases`,
their size and their time.
"""

from matbackprop.bench.engines import ENGINES
from matbackprop.bench.layers import LAYER_CASES, bench_layers
from matbackprop.bench.offsets import bench_offsets
from matbackprop.bench.one_pass import SHAPES, bench_engines, fastest_other
from matbackprop.bench.symbolic import bench_symbolic

__all__ = [
    "ENGINES",
    "LAYER_CASES",
    "SHAPES",
    "bench_engines",
    "bench_layers",
    "bench_offsets",
    "bench_symbolic",
    "fastest_other",
]
