"""BLAS is held to one thread while any pass runs, and gets back what the user had set."""

import threading

import numpy as np
import pytest
import scipy.linalg  # noqa: F401 - a BLAS of its own, which a first pass would load
import threadpoolctl

import matbackprop as mb
from matbackprop.streaming import Problem
from matbackprop.streaming.blas_threads import one_blas_thread_each


def blas_threads():
    return [
        pool["num_threads"]
        for pool in threadpoolctl.threadpool_info()
        if pool["user_api"] == "blas"
    ]


@pytest.fixture(params=[1, 2, 3])
def users(request):
    """What the user had set."""
    with threadpoolctl.threadpool_limits(request.param, user_api="blas"):
        if set(blas_threads()) != {request.param}:
            pytest.skip("BLAS here does not take that number of threads")
        yield request.param


def test_one_inside_and_the_users_after(users):
    with one_blas_thread_each():
        assert set(blas_threads()) == {1}
    assert set(blas_threads()) == {users}


def test_nested(users):
    with one_blas_thread_each():
        with one_blas_thread_each(), one_blas_thread_each():
            assert set(blas_threads()) == {1}
        assert set(blas_threads()) == {1}
    assert set(blas_threads()) == {users}


def test_overlapping(users):
    """The first to come is the first to go: the user's number comes back with the last."""
    first, second = one_blas_thread_each(), one_blas_thread_each()
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    assert set(blas_threads()) == {1}
    second.__exit__(None, None, None)
    assert set(blas_threads()) == {users}


def test_an_exception_restores(users):
    with pytest.raises(ZeroDivisionError), one_blas_thread_each():
        _ = 1 / 0
    assert set(blas_threads()) == {users}


def test_again_with_another_number():
    for number in (2, 1, 3):
        with threadpoolctl.threadpool_limits(number, user_api="blas"):
            before = blas_threads()
            with one_blas_thread_each():
                assert set(blas_threads()) == {1}
            assert blas_threads() == before


def in_a_thread(action):
    """Do something in another thread, and wait for it; the thread lives on while the test does."""
    done, stop = threading.Event(), threading.Event()

    def run():
        action()
        done.set()
        stop.wait(20)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    assert done.wait(20)
    return stop


def test_overlapping_in_two_threads():
    """The thread that leaves last gives back what the first had found."""
    before = blas_threads()
    with threadpoolctl.threadpool_limits(2, user_api="blas"):
        pass  # whoever set a limit last does not matter
    first, second = one_blas_thread_each(), one_blas_thread_each()
    stops = [in_a_thread(first.__enter__), in_a_thread(second.__enter__)]
    assert set(blas_threads()) == {1}
    stops.append(in_a_thread(lambda: first.__exit__(None, None, None)))
    assert set(blas_threads()) == {1}
    stops.append(in_a_thread(lambda: second.__exit__(None, None, None)))
    after = blas_threads()
    for stop in stops:
        stop.set()
    assert after == before


def test_the_main_thread_leaves_first(users):
    first, second = one_blas_thread_each(), one_blas_thread_each()
    first.__enter__()
    stop = in_a_thread(second.__enter__)
    first.__exit__(None, None, None)
    assert set(blas_threads()) == {1}
    other = in_a_thread(lambda: second.__exit__(None, None, None))
    after = blas_threads()
    stop.set()
    other.set()
    assert set(after) == {users}


@pytest.mark.parametrize("where", ["here", "there"])
def test_a_pass_does_not_take_the_users_say(where):
    """threadpoolctl (from 3.8) lets only one thread set limits: no pass may stay that thread."""

    def hold():
        with one_blas_thread_each():
            pass

    def set_limit(seen):
        with threadpoolctl.threadpool_limits(3, user_api="blas"):
            seen += blas_threads()

    seen: list[int] = []
    if where == "here":
        hold()
        stop = in_a_thread(lambda: set_limit(seen))
    else:
        stop = in_a_thread(hold)
        set_limit(seen)
    stop.set()
    assert set(seen) == {3}


def test_many_at_once(users):
    wrong, start = [], threading.Barrier(8)

    def hold():
        start.wait()
        for _ in range(30):
            with one_blas_thread_each():
                if set(blas_threads()) != {1}:
                    wrong.append(blas_threads())

    threads = [threading.Thread(target=hold) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert set(blas_threads()) == {users}


def test_every_method_of_a_problem_restores(users, rng, draw):
    par, X, y = draw(rng, N=300)
    problem = Problem.from_arrays(mb.Network("relu"), X, y)
    calls = [
        lambda: problem.gradient(par),
        lambda: problem.loss(par),
        lambda: problem.moments(par),
        lambda: list(problem.predict(par)),
        lambda: next(problem.predict(par)),  # a prediction that is not finished holds nothing
        lambda: problem.gauss_newton(par) @ np.ones(par.to_vector().size),
        lambda: problem.gauss_newton(par, dense=True),
    ]
    for call in calls:
        call()
        assert set(blas_threads()) == {users}


def test_while_a_pass_runs_there_is_one(users, rng, draw):
    seen = []

    def value(h):
        if len(h) > 3:
            seen.extend(blas_threads())
        return h

    net = mb.Network(mb.network.Activation("looking", value, np.ones_like, np.zeros_like))
    par, X, y = draw(rng, N=2000)
    problem = Problem.from_arrays(net, X, y, threads=2)
    problem.gradient(par)
    problem.loss(par)
    list(problem.predict(par))
    assert set(seen) == {1}
