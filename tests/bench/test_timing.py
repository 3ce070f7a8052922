import time

from matbackprop.bench.timing import median_seconds


def test_contenders_take_turns_of_two_runs():
    order = []
    times = median_seconds(
        {"a": lambda: order.append("a"), "b": lambda: order.append("b")}, repeats=2
    )
    assert order == ["a", "a", "b", "b"] * 2
    assert set(times) == {"a", "b"}


def test_the_median_of_what_was_measured():
    pauses = iter([0.2, 0.0, 0.2, 0.02, 0.2, 0.1])  # the first of a turn is not counted
    times = median_seconds({"a": lambda: time.sleep(next(pauses))}, repeats=3)
    assert 0.02 <= times["a"] < 0.1
