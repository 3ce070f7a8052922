"""Processes: a cluster of two workers, one of them killed, and the same bits as before."""

import os
import signal
import threading
import time

import dask
import dask.array as da
import dask.dataframe as dd
import numpy as np
import pandas as pd
import psutil
import pytest
from distributed import Client, LocalCluster
from numpy.testing import assert_array_equal

import matbackprop as mb
from matbackprop.errors import DataError
from matbackprop.network import Activation, magnitudes
from matbackprop.streaming import Problem

N, P1, P2 = 1000, 3, 4


def arrays(rng, q=None):
    X = rng.standard_normal((N, P1)) + 1
    y = rng.standard_normal(N if q is None else (N, q))
    return X, y, rng.integers(0, 4, N).astype(float)


def frame(X, y, weights, npartitions=7):
    columns = {f"x{j}": X[:, j] for j in range(P1)} | {"w": weights}
    columns |= {"y": y} if y.ndim == 1 else {f"y{k}": y[:, k] for k in range(y.shape[1])}
    table = dd.from_pandas(pd.DataFrame(columns), npartitions=npartitions)
    outcome = "y" if y.ndim == 1 else [f"y{k}" for k in range(y.shape[1])]
    return table[[f"x{j}" for j in range(P1)]], table[outcome], table["w"]


def parameters(rng, q=None, batch_norm=True):
    return mb.Parameters.random(P1, P2, rng=rng, q=q, batch_norm=batch_norm)


CUBE = Activation("cube", lambda h: h**3, lambda h: 3 * h**2, lambda h: 6 * h)  # does not pickle


@pytest.fixture(scope="module")
def client():
    """Two worker processes, of one thread each; none is left when the tests are done."""
    before = set(psutil.Process().children(recursive=True))
    options = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": ":0"}
    # rpy2, once loaded, has R's folders searched first, and in them another libpython may lie.
    monkeypatch = pytest.MonkeyPatch()
    monkeypatch.delenv("LD_LIBRARY_PATH", raising=False)
    with LocalCluster(processes=True, **options) as cluster, Client(cluster) as client:
        yield client
        monkeypatch.undo()
        started = set(psutil.Process().children(recursive=True)) - before
    # Python keeps one process for all those that it starts; it ends with the session.
    ours = [process for process in started if "resource_tracker" not in command(process)]
    assert not psutil.wait_procs(ours, timeout=30)[1]


def command(process):
    try:
        return " ".join(process.cmdline())
    except psutil.NoSuchProcess:
        return ""


@pytest.mark.slow
class TestProcesses:
    """Two worker processes of `distributed`, one of them killed; and Dask's own processes."""

    @pytest.mark.parametrize("of_frames", [False, True], ids=["arrays", "frames"])
    def test_a_cluster(self, rng, assert_agree, client, of_frames):
        X, y, weights = arrays(rng)
        whole = (da.from_array(a, 64) for a in (X, y, weights))
        lazy = dask.persist(*(frame(X, y, weights) if of_frames else whole))
        net, par = mb.Network(CUBE), parameters(rng)
        problem = Problem.from_dask(net, *lazy[:2], weights=lazy[2])
        wanted = Problem.from_arrays(net, X, y, weights=weights)
        sizes = magnitudes(net, par, *(np.repeat(a, weights.astype(int), axis=0) for a in (X, y)))
        assert_agree(problem.gradient(par), wanted.gradient(par), sizes, 1e-12)
        fitted = problem.predict(par).compute()
        assert np.abs(fitted - mb.predict(net, par, X, moments=wanted.moments(par))).max() < 1e-12

    def test_a_mistake_keeps_its_message(self, client):
        X = da.ones((10, 2), chunks=(5, -1))
        with pytest.raises(DataError, match="X has NaN at row 0 of partition 0"):
            Problem.from_dask(mb.Network(), X * np.nan, X[:, 0])

    def test_a_worker_killed_in_the_middle_of_a_pass(self, rng, client, tmp_path):
        partitions, started = 24, tmp_path

        def make(block_info):
            (i, _) = block_info[None]["chunk-location"]
            (started / f"{i}-{os.getpid()}-{time.monotonic_ns()}").touch()
            time.sleep(0.05)
            return np.random.default_rng(i).standard_normal(block_info[None]["chunk-shape"])

        chunks = ((50,) * partitions, (P1 + 1,))
        data = da.map_blocks(make, chunks=chunks, dtype=float, meta=np.empty((0, 0)))
        problem = Problem.from_dask(mb.Network("tanh"), data[:, :P1], data[:, P1])
        par = parameters(rng)
        whole = problem.gradient(par)
        before = set(started.iterdir())
        assert len(before) == 2 * partitions  # one for the first look, one for the gradient

        def kill():
            while len(set(started.iterdir()) - before) < partitions // 2:
                time.sleep(0.005)
            victims.append(next(iter(client.run(os.getpid).values())))
            os.kill(victims[0], signal.SIGKILL)
            seen_by_then.extend(set(started.iterdir()) - before)

        victims, seen_by_then = [], []
        killer = threading.Thread(target=kill)
        killer.start()
        again = problem.gradient(par)
        killer.join()
        assert partitions // 2 <= len(seen_by_then) < partitions
        assert not psutil.pid_exists(victims[0])
        runs = [path.name.split("-") for path in set(started.iterdir()) - before]
        assert any(pid == str(victims[0]) for _, pid, _ in runs)
        assert len(runs) > partitions  # what it had made was made again
        assert {int(i) for i, *_ in runs} == set(range(partitions))
        assert again.loss == whole.loss
        assert_array_equal(again.to_vector(), whole.to_vector())

    def test_processes_without_a_cluster(self, rng, assert_agree):
        X, y, _ = arrays(rng)
        lazy = da.from_array(X, (300, -1)), da.from_array(y, 300)
        net, par = mb.Network(CUBE), parameters(rng)
        with dask.config.set(scheduler="processes", num_workers=2):
            found = Problem.from_dask(net, *lazy).gradient(par)
        assert_agree(found, mb.gradient(net, par, X, y), magnitudes(net, par, X, y), 1e-12)
