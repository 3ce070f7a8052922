import time

from matbackprop.bench.timing import median_seconds


def test_contenders_take_turns_after_a_round_that_does_not_count():
    order = []
    times = median_seconds(
        {"a": lambda: order.append("a"), "b": lambda: order.append("b")}, repeats=2
    )
    assert order == ["a", "b"] * 3
    assert set(times) == {"a", "b"}


def test_the_median_of_what_was_measured():
    pauses = iter([0.2, 0.0, 0.02, 0.1])  # the first is not counted
    times = median_seconds({"a": lambda: time.sleep(next(pauses))}, repeats=3)
    assert 0.02 <= times["a"] < 0.1
