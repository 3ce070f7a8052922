"""What the rows must not do between the first look and a later pass, and how they are paired."""

import os
import signal
import subprocess
import sys

import dask.dataframe as dd
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import threadpoolctl

import matbackprop as mb
from matbackprop.errors import DataError
from matbackprop.streaming import Problem
from matbackprop.streaming.blas_threads import one_blas_thread_each

NET = mb.Network("tanh")


@pytest.fixture
def data(rng):
    par = mb.Parameters.random(3, 2, rng=rng)
    return par, rng.standard_normal((60, 3)), rng.standard_normal(60)


def test_blocks_of_frames_keep_the_order_of_their_columns(data):
    _, X, y = data
    frame = pd.DataFrame(X, columns=list("abc"))
    blocks = [(frame[:30], y[:30]), (frame[30:][["c", "b", "a"]], y[30:])]
    with pytest.raises(DataError, match=r"same columns in the same order; block 0 has .*block 1"):
        Problem.from_blocks(NET, blocks)


def test_partitions_of_frames_keep_the_order_of_their_columns(data):
    _, X, y = data
    frame = pd.DataFrame(np.column_stack([X, y]), columns=[*"abc", "y"])

    def part(k):
        names = list("abc") if k == 0 else list("cba")
        return frame[30 * k : 30 * (k + 1)][[*names, "y"]]

    frames = dd.from_map(part, [0, 1], meta=frame[:0], enforce_metadata=False)
    inputs = frames.map_partitions(
        lambda f: f.drop(columns="y"), meta=frame[:0][list("abc")], enforce_metadata=False
    )
    with pytest.raises(DataError, match=r"partition 1` needs the columns \('a', 'b', 'c'\) of X"):
        Problem.from_dask(NET, inputs, frames["y"])


def test_weights_with_other_labels(data, rng):
    _, X, y = data
    w = pd.Series(rng.uniform(0, 1, 60)).sample(frac=1, random_state=3)
    with pytest.raises(DataError, match="needs X and weights with the same row labels"):
        Problem.from_arrays(NET, pd.DataFrame(X), pd.Series(y), weights=w)


def test_predictions_of_fewer_rows(data):
    par, X, y = data

    class Shrinking:
        times = 0

        def __iter__(self):
            self.times += 1
            yield X[:40], y[:40]
            if self.times < 3:
                yield X[40:], y[40:]

    fitted = Problem.from_blocks(NET, Shrinking()).predict(par)
    assert len(next(fitted)) == 40
    with pytest.raises(DataError, match="passed over 40 rows, where the first look had found 60"):
        list(fitted)


def test_weights_that_sum_to_one(data):
    par, X, y = data
    problem = Problem.from_arrays(
        mb.Network(batch_norm=mb.BatchNorm(1)), X, y, weights=y * 0 + 1 / 64
    )
    with pytest.raises(
        DataError, match=r"weights that sum to more than 1; .* 60 rows sum to 0.9375"
    ):
        problem.gradient(par)


def test_a_parquet_file_that_is_gone(data, tmp_path):
    par, X, y = data
    table = pa.table({"a": X[:, 0], "b": X[:, 1], "c": X[:, 2], "y": y})
    pq.write_table(table, tmp_path / "f.parquet")
    problem = Problem.from_parquet(NET, tmp_path, inputs=list("abc"), outputs="y")
    (tmp_path / "f.parquet").unlink()
    with pytest.raises(
        DataError, match=r"cannot read .*f.parquet any more: .*make the problem anew"
    ):
        problem.gradient(par)


def test_it_says_what_it_is(data):
    _, X, y = data
    text = repr(Problem.from_arrays(NET, X, y))
    assert text.startswith("Problem(60 rows, 3 inputs, 1 output(s), float64; Network(")


def blas():
    return [i["num_threads"] for i in threadpoolctl.threadpool_info() if i["user_api"] == "blas"]


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no such timer here")
def test_interrupts_leave_blas_as_it_was(rng):
    with one_blas_thread_each():
        pass
    before = blas()

    def interrupt(*_):
        raise KeyboardInterrupt

    old = signal.signal(signal.SIGALRM, interrupt)
    try:
        for _ in range(150):
            try:
                signal.setitimer(signal.ITIMER_REAL, rng.uniform(1e-6, 3e-4))
                while True:
                    with one_blas_thread_each():
                        pass
            except KeyboardInterrupt:
                pass
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, old)
    with one_blas_thread_each():
        pass
    assert blas() == before


FORK = """
import os, sys, threadpoolctl
from matbackprop.streaming.blas_threads import one_blas_thread_each
def blas():
    return [i["num_threads"] for i in threadpoolctl.threadpool_info() if i["user_api"] == "blas"]
with one_blas_thread_each():
    pass
before = blas()
with one_blas_thread_each():
    child = os.fork()
    if child == 0:
        with one_blas_thread_each():  # the turn is free, too
            pass
        os._exit(0 if blas() == before else 1)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


# In a process of its own: where JAX has threads, Python warns of forks.
@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_child_forked_in_a_pass_has_blas_to_itself():
    assert subprocess.run([sys.executable, "-c", FORK], timeout=60).returncode == 0
