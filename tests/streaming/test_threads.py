"""Threads: one order, two stretches each under way, and nothing left behind when a work fails."""

import os
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import pytest
import threadpoolctl

import matbackprop as mb
from matbackprop.streaming import Problem
from matbackprop.streaming.rows import Rows
from matbackprop.streaming.threads import total_in_threads


def silent(done, total, what):
    """Show nothing."""


@dataclass(frozen=True)
class Listed:
    """A part that remembers the order in which it was merged."""

    numbers: tuple[int, ...]

    def merge(self, other):
        return Listed(self.numbers + other.numbers)


def rows(number, n=2):
    return Rows(np.full((n, 1), float(number)), np.zeros(n), None, n * number)


def listing(chunk):
    return Listed((int(chunk.X[0, 0]),))


def loaders(count, n=2):
    return (lambda number=number: iter([rows(number, n)]) for number in range(count))


def total(work, loads, threads, stretches=None, progress=silent):
    return total_in_threads(work, loads, threads=threads, stretches=stretches, progress=progress)


def blas_threads():
    return [
        pool["num_threads"]
        for pool in threadpoolctl.threadpool_info()
        if pool["user_api"] == "blas"
    ]


def own_threads():
    return [t for t in threading.enumerate() if t.name.startswith("matbackprop")]


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_parts_are_merged_in_the_order_of_the_rows(threads):
    """The first of each five takes longest: the last is done first."""

    def work(chunk):
        number = int(chunk.X[0, 0])
        time.sleep(0.004 * (4 - number % 5))
        return Listed((number,))

    whole, count = total(work, loaders(30), threads)
    assert whole.numbers == tuple(range(30))
    assert count == 60


@pytest.mark.parametrize("threads", [1, 3])
def test_pieces_of_a_stretch_too(threads):
    loads = [lambda s=s: (rows(10 * s + i) for i in range(s)) for s in range(1, 6)]
    whole, count = total(listing, iter(loads), threads)
    assert whole.numbers == tuple(10 * s + i for s in range(1, 6) for i in range(s))
    assert count == 2 * 15


@pytest.mark.parametrize("threads", [1, 2])
def test_stretches_without_rows(threads):
    nothing = [lambda: iter(()), lambda: iter([rows(7, 0)])]
    assert total(listing, iter(nothing), threads) == (None, 0)
    assert total(listing, iter([]), threads) == (None, 0)
    mixed = [nothing[1], lambda: iter([rows(3), rows(4, 0), rows(5)]), nothing[0]]
    whole, count = total(listing, iter(mixed), threads)
    assert (whole.numbers, count) == ((3, 5), 4)


@pytest.mark.parametrize("threads", [2, 3])
def test_so_many_stretches_are_under_way_and_no_more(threads):
    made, done, most, lock = 0, 0, 0, threading.Lock()

    def loads():
        nonlocal made, most
        for number in range(40):
            with lock:
                made += 1
                most = max(most, made - done)
            yield lambda number=number: iter([rows(number)])

    def work(chunk):
        nonlocal done
        time.sleep(0.002)
        with lock:
            done += 1
        return Listed(())

    total(work, loads(), threads)
    assert threads < most <= 2 * threads + 1


def test_works_run_side_by_side():
    """Each waits for the other: one after the other they would wait for ever."""
    barrier = threading.Barrier(2, timeout=20)

    def work(chunk):
        barrier.wait()
        return Listed(())

    total(work, loaders(4), 2)
    assert barrier.broken is False


@pytest.mark.parametrize("stretches", [1, None])
@pytest.mark.parametrize("threads", [1, 4])
def test_one_stretch_needs_no_thread_of_its_own(threads, stretches):
    seen = []

    def work(chunk):
        seen.append(threading.current_thread())
        return Listed(())

    total(work, loaders(1), threads, stretches)
    if threads == 1 or stretches == 1:
        assert seen == [threading.main_thread()]


class TroubleError(Exception):
    """What goes wrong in these tests."""


@pytest.mark.parametrize("threads", [1, 2, 5])
@pytest.mark.parametrize("error", [TroubleError("at 7"), KeyboardInterrupt("at 7"), SystemExit(3)])
@pytest.mark.parametrize("place", ["work", "loader", "loaders", "progress", "merge"])
def test_what_goes_wrong_comes_out_as_it_is(threads, error, place):
    """… soon, with no work running on, and with BLAS as it was."""
    running, started, lock = 0, 0, threading.Lock()

    def work(chunk):
        nonlocal running, started
        with lock:
            running, started = running + 1, started + 1
        time.sleep(0.002)
        with lock:
            running -= 1
        if place == "work" and chunk.X[0, 0] == 7:
            raise error
        return Fragile(())

    @dataclass(frozen=True)
    class Fragile(Listed):
        def merge(self, other):
            if place == "merge":
                raise error
            return self

    def load(number):
        if place == "loader" and number == 7:
            raise error
        yield rows(number)

    def loads():
        for number in range(1000):
            if place == "loaders" and number == 7:
                raise error
            yield lambda number=number: load(number)

    def progress(done, total, what):
        if place == "progress" and done == 7:
            raise error

    before = blas_threads()
    with threadpoolctl.threadpool_limits(2, user_api="blas"):
        with pytest.raises(type(error)) as caught:
            total(work, loads(), threads, progress=progress)
        assert caught.value is error
        assert set(blas_threads()) == {2}
    assert blas_threads() == before
    assert running == 0
    assert started <= 8 + 2 * threads + 1
    count = started
    time.sleep(0.01)
    assert started == count  # nothing that was under way is taken up later
    # The next pass works.
    assert total(listing, loaders(5), threads)[0].numbers == tuple(range(5))


def test_what_waits_for_a_thread_is_given_up():
    """Four stretches under way, the first fails: the last is not begun any more."""
    begun, all_made = [], threading.Event()

    def loads():
        for number in range(4):
            yield lambda number=number: iter([rows(number)])
        all_made.set()

    def work(chunk):
        number = int(chunk.X[0, 0])
        begun.append(number)
        if number == 0:
            all_made.wait(20)
            time.sleep(0.05)
            raise TroubleError
        time.sleep(0.3)
        return Listed(())

    with pytest.raises(TroubleError):
        total(work, loads(), 2)
    assert 3 not in begun


def test_passes_do_not_pile_up_threads():
    total(listing, loaders(20), 3)
    first = len(own_threads())
    for _ in range(10):
        total(listing, loaders(20), 3)
    assert len(own_threads()) <= max(first, 3 + first)
    names = [t for t in own_threads() if t.is_alive()]
    for _ in range(5):
        total(listing, loaders(50), 3)
    assert len(own_threads()) <= len(names) + 3


def test_passes_may_overlap():
    """Several of the user's threads at once, with one pool or another."""
    with ThreadPoolExecutor(6) as pool:
        found = list(
            pool.map(lambda k: total(listing, loaders(30), 1 + k % 3)[0].numbers, range(24))
        )
    assert set(found) == {tuple(range(30))}


def test_progress_is_told_in_the_calling_thread_after_each_stretch():
    told = []

    def progress(done, total, what):
        assert threading.current_thread() is threading.main_thread()
        told.append((done, total, what))

    total(listing, loaders(5, 1000), 2, 5, progress)
    assert [t[:2] for t in told] == [(i, 5) for i in range(1, 6)]
    assert told[-1][2] == "5,000 rows"
    told.clear()
    total(listing, loaders(3), 2, None, progress)
    assert [t[:2] for t in told] == [(1, 1), (2, 2), (3, 3)]


CODE = """
import os, signal, sys, threading, time
import numpy as np
import matbackprop as mb
from matbackprop.network import Activation
from matbackprop.streaming import Problem

def slow(h):
    if h.size > 3:
        time.sleep(0.02)
    return 1.0 * h

net = mb.Network(Activation("slow", slow, np.ones_like, np.zeros_like))
rng = np.random.default_rng(0)
X, y = rng.standard_normal((100_000, 3)), rng.standard_normal(100_000)
par = mb.Parameters.random(3, 2, rng=rng)
problem = Problem.from_arrays(net, X, y, threads=2, block_rows=500)
threading.Timer(0.3, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
start = time.perf_counter()
try:
    problem.gradient(par)
except KeyboardInterrupt:
    print("interrupted after", time.perf_counter() - start)
fine = Problem.from_arrays(mb.Network("tanh"), X, y, threads=2).gradient(par)
print(np.isfinite(fine.loss))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="sends a POSIX signal")
def test_ctrl_c_ends_a_pass_at_once():
    """4 s of work, an interrupt after 0.3 s: out within a stretch or two; the next pass works."""
    start = time.perf_counter()
    out = subprocess.run(
        [sys.executable, "-c", CODE], capture_output=True, text=True, timeout=60, check=True
    ).stdout.split()
    assert out[:2] == ["interrupted", "after"]
    assert float(out[2]) < 1.0
    assert out[3] == "True"
    assert time.perf_counter() - start < 50


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_process_has_threads_of_its_own():
    code = (
        "import os, sys, warnings\n"
        "warnings.simplefilter('ignore')\n"
        "import numpy as np, matbackprop as mb\n"
        "from matbackprop.streaming import Problem\n"
        "rng = np.random.default_rng(0)\n"
        "X, y = rng.standard_normal((20_000, 3)), rng.standard_normal(20_000)\n"
        "par = mb.Parameters.random(3, 2, rng=rng)\n"
        "p = Problem.from_arrays(mb.Network('relu'), X, y, threads=2)\n"
        "g = p.gradient(par).to_vector()\n"
        "child = os.fork()\n"
        "if child == 0:\n"
        "    os._exit(0 if (p.gradient(par).to_vector() == g).all() else 9)\n"
        "sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], timeout=60, check=False)
    assert done.returncode == 0


def test_an_error_of_the_activation_surfaces(rng, draw):
    def value(h):
        if h.shape[0] > 1 and np.abs(h).max() > 5:
            raise TroubleError("too far")
        return h

    net = mb.Network(mb.network.Activation("picky", value, np.ones_like, np.zeros_like), None)
    par, X, y = draw(rng, N=5000, batch_norm=False)
    X[4000] = 100
    with pytest.raises(TroubleError, match="too far"):
        Problem.from_arrays(net, X, y, threads=3, block_rows=64).gradient(par)
