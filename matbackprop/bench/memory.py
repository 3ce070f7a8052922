"""How much memory an engine takes beyond the data, in a process in which nothing else ran."""

from __future__ import annotations

import gc
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np

from matbackprop.bench.contender import draw, equal_threads
from matbackprop.bench.engines import ENGINES

MEASURABLE = sys.platform == "linux"
"""Whether the system tells what is needed; only Linux does."""

_STATUS, _CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")
_CODE = "from sys import argv; from matbackprop.bench.memory import main; main(*argv[1:])"


def peak_bytes(run: Callable[[], object], /) -> int:
    """Return the most anonymous memory there is at any one time while `run` runs.

    That is what a process allocates; pages of files, such as those of a library's code, are
    not counted. The kernel keeps the peak of both together, exactly and between any two looks
    that a sampling thread could take; the pages of files are subtracted as they are in the end.

    Examples
    --------
    >>> if MEASURABLE:
    ...     assert peak_bytes(lambda: np.ones(10**7)) >= 8 * 10**7
    """
    _CLEAR.write_text("5", encoding="ascii")  # the peak is that of now
    run()
    now = _status()
    return now["VmHWM"] - now["RssFile"] - now["RssShmem"]


def anonymous_bytes() -> int:
    """Return how much anonymous memory this process has now."""
    return _status()["RssAnon"]


def peak_mib(name: str, shape: tuple[int, int, int], /, *, dtype: str, threads: int) -> float:
    """Return the peak of two gradients by an engine beyond the data, in MiB.

    Measured in a fresh process, after a gradient that has loaded and compiled what there is to
    load and compile. A library that cannot share NumPy's memory has the data for itself, and
    once as well: NumPy's are released first. NaN where the system is not Linux, or the process
    fails.
    """
    if not MEASURABLE:
        return np.nan
    numbers = map(str, (*shape, threads))
    done = subprocess.run(
        [sys.executable, "-c", _CODE, name, dtype, *numbers],
        capture_output=True,
        text=True,
        # Whatever is freed goes back to the system at once, and is not counted afterwards.
        env=os.environ | {"MALLOC_MMAP_THRESHOLD_": str(2**17)},
    )
    return float(done.stdout.split()[-1]) / 2**20 if done.returncode == 0 else np.nan


def main(name: str, dtype: str, *numbers: str) -> None:
    """Print the bytes that `peak_mib` asks for; for its process only."""
    N, p1, p2, threads = map(int, numbers)
    engine = ENGINES[name]
    with equal_threads(threads, engine.needs):
        # Of the same size, as what is small may take another road.
        engine.make(draw(N, p1, p2, dtype=dtype, threads=threads)).run()
        gc.collect()
        held = anonymous_bytes()
        task = draw(N, p1, p2, dtype=dtype, threads=threads)
        data = task.X.nbytes + task.y.nbytes
        run = engine.make(task).run
        del task
        gc.collect()
        print(max(0, peak_bytes(lambda: (run(), run())) - held - data))


def _status() -> dict[str, int]:
    text = _STATUS.read_text(encoding="ascii")
    return {name: 1024 * int(kib) for name, kib in re.findall(r"(\w+):\s+(\d+) kB", text)}
