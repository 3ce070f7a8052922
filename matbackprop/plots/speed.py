"""How the time of each engine grows with the number of rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from matbackprop.errors import DataError
from matbackprop.plots.canvas import new_axes

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes


def plot_times(frame: pd.DataFrame, /, *, ax: Axes | None = None) -> Axes:
    """Draw the time of each engine against the number of rows, on logarithmic scales.

    Where there are several numbers of rows, the legend says with which power of N the time
    grows: the slope of the line, by least squares.

    Parameters
    ----------
    frame
        What `matbackprop.bench.bench_engines` returns, for one dtype. Engines without a time
        are left out; inputs and hidden nodes are in the legend, with a marker, where they differ.
    ax
        Where to draw.

    Raises
    ------
    DataError
        If the frame has not the columns shape, engine and milliseconds.
    MissingExtraError
        If matplotlib is not installed.

    Examples
    --------
    >>> import pandas as pd
    >>> columns = ["shape", "engine", "milliseconds"]
    >>> rows = [("100 × 2 × 3", "torch", 1.0), ("400 × 2 × 3", "torch", 2.0)]
    >>> ax = plot_times(pd.DataFrame(rows, columns=columns))
    >>> [text.get_text() for text in ax.get_legend().get_texts()]
    ['torch, $N^{0.50}$']
    """
    columns = ["shape", "engine", "milliseconds"]
    if missing := [name for name in columns if name not in frame]:
        raise DataError(
            f"`plot_times(frame)` needs the columns {', '.join(columns)}, as `bench_engines` "
            f"returns them; it has no {', '.join(missing)}."
        )
    ax = ax or new_axes()
    timed = frame[columns].dropna()
    sizes = timed["shape"].str.partition(" × ")
    sizes_differ = sizes[2].nunique() > 1
    groups = timed.assign(N=sizes[0].astype(int), others=sizes[2])
    colours = {name: f"C{k % 10}" for k, name in enumerate(groups["engine"].unique())}
    markers = {name: "os^Dv"[k % 5] for k, name in enumerate(groups["others"].unique())}
    for (engine, others), rows in groups.groupby(["engine", "others"], sort=False):
        N, times = rows["N"].to_numpy(), rows["milliseconds"].to_numpy()
        label = f"{engine}, {others}" if sizes_differ else str(engine)
        if len(set(N)) > 1:
            label += f", $N^{{{np.polyfit(np.log(N), np.log(times), 1)[0]:.2f}}}$"
        order = np.argsort(N)
        style = {"color": colours[engine], "marker": markers[others], "label": label}
        ax.loglog(N[order], times[order], markersize=4, linewidth=1, **style)
    counts = sorted(set(groups["N"]))
    ax.set_xticks(counts, labels=[f"{N:,}" for N in counts])
    ax.set_xticks([], minor=True)
    ax.set(xlabel="rows, N", ylabel="milliseconds")
    ax.spines[["top", "right"]].set_visible(False)
    ax.legend(frameon=False, fontsize="small", loc="upper left", bbox_to_anchor=(1, 1))
    return ax
