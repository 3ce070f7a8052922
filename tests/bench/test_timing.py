from matbackprop.bench import timing
from matbackprop.bench.timing import median_seconds


def test_contenders_take_turns_of_two_runs():
    order = []
    times = median_seconds(
        {"a": lambda: order.append("a"), "b": lambda: order.append("b")}, repeats=2
    )
    assert order == ["a", "a", "b", "b"] * 2
    assert set(times) == {"a", "b"}


def test_the_median_of_the_second_runs(monkeypatch):
    clock = 0.0

    def wait(seconds):
        nonlocal clock
        clock += next(seconds)

    pauses = iter([50.0, 1.0, 50.0, 9.0, 50.0, 4.0])  # the first of a turn is not counted
    monkeypatch.setattr(timing.time, "perf_counter", lambda: clock)
    assert median_seconds({"a": lambda: wait(pauses)}, repeats=3) == {"a": 4.0}
