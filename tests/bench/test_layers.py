import pytest

from matbackprop.bench import bench_layers, layers
from matbackprop.errors import OptionError


def test_one_row_for_each_engine_and_case(monkeypatch):
    monkeypatch.setattr(layers, "LAYER_CASES", (layers.LayerCase((40, 3), "float32"),))
    said = []
    frame = bench_layers(repeats=2, progress=lambda *now: said.append(now))
    assert frame["shape"].unique().tolist() == ["40 × 3"]
    assert "matbackprop, NumPy" in frame["engine"].tolist()
    assert (frame["milliseconds"] > 0).all()
    theirs = frame.query("engine == 'torch'")
    assert (theirs["ratio"] == 1).all()
    assert said == [(0, 1, "40 × 3 float32"), (1, 1, "done")]


def test_repeats_is_a_count():
    with pytest.raises(OptionError, match="needs an integer repeats >= 1; got 0"):
        bench_layers(repeats=0)
