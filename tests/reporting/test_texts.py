import json

import pytest

from matbackprop.reporting import as_json, readable


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0, "0"), (1.23456e-16, "1.23e-16"), (float("inf"), "inf"), (7, "7"), ("x", "x")],
)
def test_readable(value, text):
    assert readable(value) == text


def test_json_gives_back_every_bit():
    numbers = [0.1, 1 / 3, 5e-324, -0.0, 1.7976931348623157e308]
    assert json.loads(as_json({"x": numbers}))["x"] == numbers


def test_json_has_no_nan():
    assert json.loads(as_json([float("nan"), (float("-inf"), None)])) == ["nan", ["-inf", None]]
