"""The vec/Kronecker formulation must not store what it multiplies with."""

import subprocess
import sys

import pytest

CODE = """
import re
from pathlib import Path
import numpy as np
import matbackprop as mb
rng = np.random.default_rng(0)
N, p1, p2 = 20_000, 20, 50
par = mb.Parameters.random(p1, p2, rng=rng)
X, y = rng.standard_normal((N, p1)), rng.standard_normal(N)
net = mb.Network("relu", mb.BatchNorm(1, 0.0))
g = mb.gradient(net, par, X, y, formulation="kronecker", inputs=True)
peak = int(re.search(r"VmHWM:\\s*(\\d+)", Path("/proc/self/status").read_text())[1]) / 2**20
exact = mb.gradient(net, par, X, y, formulation="compact", inputs=True)
print(peak, np.abs(g.to_vector() - exact.to_vector()).max() / np.abs(exact.to_vector()).max())
"""


# Not getrusage: its peak is also that of the process that started this one.
@pytest.mark.skipif(sys.platform != "linux", reason="/proc is Linux's")
def test_kronecker_fits_in_one_gibibyte():
    out = subprocess.check_output([sys.executable, "-c", CODE], text=True)
    peak, error = map(float, out.split())
    assert peak < 1.0
    assert error < 1e-12
