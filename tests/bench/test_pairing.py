import numpy as np
import pytest

from matbackprop.bench import pairing
from matbackprop.bench.pairing import paired_ratio, rounds_of_turns, second_of_two


def test_the_second_of_two_runs_counts(monkeypatch):
    clock = 0.0
    pauses = iter([50.0, 1.5])

    def wait():
        nonlocal clock
        clock += next(pauses)

    monkeypatch.setattr(pairing.time, "perf_counter", lambda: clock)
    assert second_of_two(wait) == 1.5


def test_all_take_turns_and_the_slow_leave_early():
    order, said = [], []

    def turn(name):
        order.append(name)
        return float(len(order))

    times = rounds_of_turns(
        {"slow": lambda: turn("slow"), "fast": lambda: turn("fast")},
        repeats=3,
        most={"slow": 2},
        before=said.append,
    )
    assert order == ["slow", "fast", "slow", "fast", "fast"]
    assert times == {"slow": [1.0, 3.0], "fast": [2.0, 4.0, 5.0]}
    assert said == [0, 1, 2]


def test_a_ratio_is_of_times_in_one_round():
    """Whatever slows a whole round leaves its ratio as it was; of two medians it would not."""
    base = np.array([1.0, 10.0, 2.0, 40.0, 3.0])
    assert paired_ratio((2 * base).tolist(), base.tolist()) == (2.0, 2.0, 2.0)
    assert paired_ratio([3.0, 10.0], base.tolist()) == pytest.approx((2.0, 1.5, 2.5))


def test_no_times_no_ratio():
    assert np.isnan(paired_ratio([], [1.0])).all()
    assert np.isnan(paired_ratio([1.0], [])).all()
