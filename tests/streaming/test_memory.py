"""A million rows in a file: beyond what of the file is mapped, a pass needs next to nothing."""

import subprocess
import sys

import numpy as np
import pytest

CODE = """
import re, sys, threading
from pathlib import Path
import numpy as np
import matbackprop as mb
from matbackprop.streaming import Problem

def status(name):
    return int(re.search(name + r":\\s*(\\d+)", Path("/proc/self/status").read_text())[1]) / 2**10

folder, activation = Path(sys.argv[1]), sys.argv[2]
rng = np.random.default_rng(0)
par = mb.Parameters.random(20, 50, rng=rng)
net = mb.Network(activation)
small = rng.standard_normal((2000, 20)), rng.standard_normal(2000)
warm = Problem.from_arrays(net, *small, threads=2)
warm.gradient(par), warm.loss(par), next(warm.predict(par))

# What is mapped from a file is not anonymous: what remains is what the package allocates.
X, y = (np.load(folder / f"{name}.npy", mmap_mode="r") for name in "Xy")
if sys.argv[3] == "array":
    X, y = np.array(X), np.array(y)
before, peak, done = status("RssAnon"), 0.0, threading.Event()

def watch():
    global peak
    while not done.wait(0.002):
        peak = max(peak, status("RssAnon"))

watcher = threading.Thread(target=watch)
watcher.start()
problem = Problem.from_arrays(net, X, y, threads=2)
g = problem.gradient(par)
problem.loss(par)
for piece in problem.predict(par):
    pass
done.set()
watcher.join()
print(peak - before, np.isfinite(g.loss))
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder, rng = tmp_path_factory.mktemp("million"), np.random.default_rng(0)
    X = np.lib.format.open_memmap(folder / "X.npy", "w+", shape=(1_000_000, 20))
    for start in range(0, 1_000_000, 100_000):
        X[start : start + 100_000] = rng.standard_normal((100_000, 20))
    del X
    np.save(folder / "y.npy", rng.standard_normal(1_000_000))
    return folder


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="/proc is Linux's")
@pytest.mark.parametrize(
    ("activation", "kind"), [("relu", "map"), ("tanh", "map"), ("relu", "array")]
)
def test_a_pass_needs_no_memory_of_the_size_of_the_data(folder, activation, kind):
    """X has 153 MiB; H, were it stored, 381."""
    out = subprocess.check_output(
        [sys.executable, "-c", CODE, str(folder), activation, kind], text=True, timeout=120
    ).split()
    assert float(out[0]) < 64
    assert out[1] == "True"
