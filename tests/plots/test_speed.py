import numpy as np
import pandas as pd
import pytest

from matbackprop.errors import DataError
from matbackprop.plots import plot_times


def times_of(*rows):
    return pd.DataFrame(rows, columns=["shape", "engine", "milliseconds"])


def test_times_have_a_line_for_each_engine_and_its_slope():
    N = np.array([400, 100, 1600])
    ax = plot_times(
        times_of(
            *((f"{n} × 3 × 2", "square", n**2 / 100) for n in N),
            *((f"{n} × 3 × 2", "root", n**0.5) for n in N),
            ("100 × 3 × 2", "absent", np.nan),
            ("100 × 3 × 2", "once", 5.0),
        )
    )
    assert (ax.get_xscale(), ax.get_yscale()) == ("log", "log")
    labels = [text.get_text() for text in ax.get_legend().get_texts()]
    assert labels == ["square, $N^{2.00}$", "root, $N^{0.50}$", "once"]
    assert ax.lines[0].get_xdata().tolist() == [100, 400, 1600]
    assert ax.lines[0].get_ydata().tolist() == [100, 1600, 25600]
    assert [label.get_text() for label in ax.get_xticklabels()] == ["100", "400", "1,600"]


def test_other_sizes_have_other_lines():
    ax = plot_times(times_of(("100 × 3 × 2", "torch", 1.0), ("100 × 9 × 8", "torch", 4.0)))
    labels = [text.get_text() for text in ax.get_legend().get_texts()]
    assert labels == ["torch, 3 × 2", "torch, 9 × 8"]


def test_times_need_their_columns():
    with pytest.raises(DataError, match=r"needs the columns .*; it has no engine, milliseconds"):
        plot_times(pd.DataFrame({"shape": ["1 × 1 × 1"]}))
