from dataclasses import replace

import numpy as np

import matbackprop as mb
from matbackprop.plots import fit_path


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
