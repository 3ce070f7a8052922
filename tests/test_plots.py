import subprocess
import sys
from dataclasses import replace

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest

import matbackprop as mb
from matbackprop.errors import DataError, ShapeError
from matbackprop.plots import (
    fit_path,
    plot_against,
    plot_jacobian,
    plot_matrix,
    plot_projection,
    plot_times,
)

mpl.use("agg")


@pytest.fixture(autouse=True)
def _close():
    yield
    import matplotlib.pyplot as plt

    plt.close("all")


def test_matrix_shows_the_numbers_with_zero_in_the_middle():
    matrix = np.array([[1.0, 0.0], [-3.0, 2.0]])
    image = plot_matrix(matrix).images[0]
    assert (image.get_array() == matrix).all()
    assert image.get_clim() == (-3.0, 3.0)
    assert image.cmap(0.5)[:3] == pytest.approx((1, 1, 1), abs=0.01)


def test_matrix_of_zeros():
    assert plot_matrix(np.zeros((2, 2))).images[0].get_clim() == (-1.0, 1.0)


def test_blocks_stand_at_their_middles():
    ax = plot_matrix(np.ones((2, 5)), columns={"a": 2, "b": 3})
    assert ax.get_xticks().tolist() == [0.5, 3.0]
    assert [line.get_xdata()[0] for line in ax.lines] == [1.5]


def test_jacobian_has_a_block_for_every_node():
    q = mb.question()
    ax = plot_jacobian(mb.jacobian(q.network, q.parameters, q.X))
    labels = [text.get_text() for text in ax.get_xticklabels()]
    assert labels == ["Γ₁ h1", "Γ₁ h2", "Γ₁ h3", "Γ₁ h4", "Γ₂", "γ", "β"]


def test_jacobian_without_batch_norm(rng):
    par = mb.Parameters.random(2, 3, rng=rng, batch_norm=False)
    J = mb.jacobian(mb.Network(batch_norm=None), par, rng.standard_normal((4, 2)))
    labels = [text.get_text() for text in plot_jacobian(J).get_xticklabels()]
    assert labels == ["Γ₁ h1", "Γ₁ h2", "Γ₁ h3", "Γ₂"]


def test_pairs_are_read_column_by_column():
    one = np.array([[1.0, 2.0], [3.0, 4.0]])
    ax = plot_against(one, -one, names=("a", "b"))
    reference, candidate = ax.collections[1:]
    assert reference.get_offsets()[:, 0].tolist() == [1, 3, 2, 4]
    assert candidate.get_offsets()[:, 0].tolist() == [-1, -3, -2, -4]


@pytest.mark.parametrize("eps", [0.0, 2.0])
def test_the_projection_shows_what_is_left_of_a_gradient(eps):
    x, dy = np.array([0.0, 1.0, 5.0]), np.array([1.0, 1.0, -1.0])
    xhat, before, after = (
        np.array([arrow.U[0], arrow.V[0]]) for arrow in plot_projection(x, dy, eps=eps).collections
    )
    variance = x.var()
    assert np.linalg.norm(xhat) == pytest.approx(np.sqrt(3 * variance / (variance + eps)))
    # ones-free part of dy, of length √(Σdy² − (Σdy)²/3)
    assert np.linalg.norm(before) == pytest.approx(np.sqrt(3 - 1 / 3))
    lost = before - after
    assert lost[0] * xhat[1] == pytest.approx(lost[1] * xhat[0])  # along x̂
    assert after @ xhat == pytest.approx(before @ xhat * eps / (variance + eps), abs=1e-12)


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda: plot_projection([1.0, 2.0], [1.0, 2.0, 3.0]), ShapeError,
         r"columns of 3 entries, .* got x \(2,\), dy \(3,\)"),
        (lambda: plot_projection([1.0, 1.0, 1.0], [1.0, 2.0, 3.0]), DataError,
         r"plot_projection.* x is constant at 1\. Use an eps"),
        (lambda: plot_matrix(np.ones(3)), ShapeError, "needs matrix with 2 dimension"),
        (lambda: plot_matrix([[np.nan]]), DataError, "matrix has NaN at row 0, column 0"),
        (lambda: plot_matrix(np.eye(3), rows={"a": 2}), ShapeError,
         r"needs rows whose sizes add up to 3; got \{'a': 2\}"),
        (lambda: plot_against([1.0], [1.0, 2.0], names=("a", "b")), ShapeError,
         r"needs arrays of one shape; got \(1,\) and \(2,\)"),
        (lambda: plot_against([1.0], [1.0], names=("a", "b"), labels=["x", "y"]), ShapeError,
         "needs a label for each of the 1 entries; got 2"),
    ],
)  # fmt: skip
def test_bad_input(call, error, text):
    with pytest.raises(error, match=text):
        call()


def test_without_matplotlib_the_error_names_the_extra():
    code = (
        "import sys; sys.modules['matplotlib'] = None\n"
        "from matbackprop.plots import plot_matrix\n"
        "try: plot_matrix([[1.0]])\n"
        "except ImportError as error: print(type(error).__name__, error)"
    )
    out = subprocess.check_output([sys.executable, "-c", code], text=True)
    assert out.startswith("MissingExtraError `matbackprop.plots` needs matplotlib")
    assert "pip install 'matbackprop[plots]'" in out


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


def test_fit_path_draws_each_pass_and_the_best(rng):
    problem = mb.streaming.Problem.from_arrays(
        mb.Network("tanh"), rng.standard_normal((60, 3)), rng.standard_normal(60)
    )
    fit = problem.fit(mb.Parameters.random(3, 2, rng=rng), max_passes=8)
    ax = fit_path(fit)
    best, each = (line.get_ydata() for line in ax.lines)
    assert each.tolist() == fit.losses.tolist()
    assert best.tolist() == np.minimum.accumulate(fit.losses).tolist()
    right = ax.figure.axes[-1]
    assert right.lines[0].get_ydata().tolist() == fit.gradient_norms.tolist()
    assert ax.get_yscale() == right.get_yscale() == "log"
    assert ax.get_title().startswith("not converged: R = ")


def test_fit_path_draws_what_is_finite(rng):
    problem = mb.streaming.Problem.from_arrays(
        mb.Network("identity", None), rng.standard_normal((60, 3)), np.zeros(60)
    )
    fit = problem.fit(mb.Parameters([[1.0], [2.0], [3.0]], [1.0]), max_passes=3)
    wild = replace(fit, losses=np.array([0.0, np.inf, -1.0]), gradient_norms=np.zeros(3))
    ax = fit_path(wild)
    ax.figure.canvas.draw()
    assert ax.get_yscale() == ax.figure.axes[-1].get_yscale() == "linear"
    assert all(tick == int(tick) for tick in ax.get_xticks())
