"""A fit finds the optimum, goes on from a checkpoint to the last bit, and ends politely."""

import dataclasses

import numpy as np
import pytest
from numpy.testing import assert_allclose

import matbackprop as mb
from matbackprop.errors import DataError, DtypeError, OptionError, RangeError, ShapeError
from matbackprop.streaming import Problem
from matbackprop.streaming.fitting import METHODS, _Path

PASSES = 14


@pytest.fixture
def data(rng):
    X = rng.standard_normal((300, 4))
    return X, np.sin(X[:, 0]) + 0.1 * rng.standard_normal(300)


@pytest.fixture
def problem(data):
    return Problem.from_arrays(mb.Network("tanh"), *data)


@pytest.fixture
def start(rng):
    return mb.Parameters.random(4, 3, rng=rng)


@pytest.fixture
def count(monkeypatch):
    """Count passes; `count.at[k]` is done instead of pass k."""
    gradient = Problem.gradient

    def counted(problem, par, /, **options):
        counted.passes += 1
        if counted.passes in counted.at:
            counted.at[counted.passes]()
        return gradient(problem, par, **options)

    counted.passes, counted.at = 0, {}
    monkeypatch.setattr(Problem, "gradient", counted)
    return counted


def interrupt():
    raise KeyboardInterrupt


def assert_same(one, other):
    assert one.losses.tobytes() == other.losses.tobytes()
    assert one.gradient_norms.tobytes() == other.gradient_norms.tobytes()
    assert one.parameters.to_vector().tobytes() == other.parameters.to_vector().tobytes()
    assert (one.iterations, one.message) == (other.iterations, other.message)


@pytest.mark.parametrize("method", METHODS)
def test_a_linear_network_finds_least_squares(data, method):
    X, y = data
    net = mb.Network("identity", None)
    start = mb.Parameters(np.full((4, 1), 0.1), [1.0])
    fit = Problem.from_arrays(net, X, y).fit(start, method=method)
    best, squares, *_ = np.linalg.lstsq(X, y)
    assert_allclose(fit.loss, squares[0] / len(X), rtol=1e-6)
    slope = fit.parameters.Gamma1[:, 0] * fit.parameters.Gamma2[0]
    assert_allclose(slope, best, atol=2e-3)
    assert fit.converged


def test_the_record(problem, start):
    fit = problem.fit(start, options={"maxiter": 20})
    assert fit.losses[0] == problem.gradient(start).loss
    assert fit.loss == fit.losses.min() == problem.gradient(fit.parameters).loss < fit.losses[0]
    assert fit.gradient_norms[0] == np.linalg.norm(problem.gradient(start).to_vector())
    assert fit.passes == len(fit.losses) >= fit.iterations == 20
    assert not fit.converged
    with pytest.raises(dataclasses.FrozenInstanceError):
        fit.converged = True
    with pytest.raises(ValueError, match="read-only"):
        fit.losses[0] = 0
    assert "tanh: not converged" in str(fit)
    assert f"20 iterations, {fit.passes} passes" in str(fit)


def test_it_predicts_new_rows_one_by_one(problem, start, data):
    X, _ = data
    fit = problem.fit(start, options={"maxiter": 3})
    together = mb.predict(fit.network, fit.parameters, X)
    alone = [fit.predict(row[None])[0] for row in X[:5]]
    assert_allclose(alone, together[:5], rtol=1e-12)
    plain = Problem.from_arrays(mb.Network("tanh", None), *data)
    bare = mb.Parameters(start.Gamma1, start.Gamma2)
    assert plain.fit(bare, max_passes=2).moments is None


@pytest.mark.parametrize("method", METHODS)
def test_it_goes_on_wherever_it_was_interrupted(problem, start, count, tmp_path, method):
    how = {"method": method, "max_passes": PASSES}
    whole = problem.fit(start, **how)
    assert 3 < whole.passes <= PASSES
    for done in range(1, whole.passes):
        log = tmp_path / f"{done}.log"
        count.passes, count.at = 0, {done + 1: interrupt}
        part = problem.fit(start, checkpoint=log, **how)
        assert part.message == f"interrupted after {done} passes; to go on, fit again with {log}"
        assert part.losses.tolist() == whole.losses[:done].tolist()
        count.passes, count.at = 0, {}
        assert part.loss == problem.gradient(part.parameters).loss  # the best, not the last
        count.passes = 0
        assert_same(problem.fit(start, checkpoint=log, **how), whole)
        assert count.passes == whole.passes - done + 1  # one to see that the rows are the same


def test_an_interrupt_before_the_first_pass_is_one(problem, start, count):
    count.at = {1: interrupt}
    with pytest.raises(KeyboardInterrupt):
        problem.fit(start)


def test_a_fit_that_is_done_is_read_from_its_log(problem, start, count, tmp_path):
    how = {"checkpoint": tmp_path / "log", "options": {"maxiter": 5}}
    whole = problem.fit(start, **how)
    count.passes = 0
    assert_same(problem.fit(start, **how), whole)
    assert count.passes == 1


def test_max_passes_can_be_raised(problem, start, count, tmp_path):
    log = tmp_path / "log"
    problem.fit(start, max_passes=4, checkpoint=log)
    count.passes = 0
    fit = problem.fit(start, max_passes=9, checkpoint=log)
    assert (fit.passes, count.passes) == (9, 5 + 1)
    assert fit.message == "stopped after max_passes = 9"


def test_the_callback(problem, start):
    steps = []

    def callback(step):
        steps.append(step)
        if step.iteration == 4:
            raise StopIteration

    fit = problem.fit(start, callback=callback)
    assert [step.iteration for step in steps] == [1, 2, 3, 4]
    for step in steps:
        g = problem.gradient(step.parameters)
        assert step.loss == g.loss
        assert_allclose(step.gradient_norm, np.linalg.norm(g.to_vector()))
    assert fit.message == "stopped by the callback"
    assert fit.iterations == 4


def test_float32_is_fitted_in_float32(data, start):
    X, y = (np.float32(a) for a in data)
    blocks = (start.Gamma1, start.Gamma2, start.gamma, start.beta)
    narrow = mb.Parameters(*(np.float32(block) for block in blocks))
    problem = Problem.from_arrays(mb.Network("tanh"), X, y)
    fit = problem.fit(narrow, options={"maxiter": 5})
    assert fit.parameters.Gamma1.dtype == np.float32
    assert problem.gradient(fit.parameters).Gamma1.dtype == np.float32
    assert fit.loss < fit.losses[0]
    assert problem.fit(start, max_passes=1).parameters.Gamma1.dtype == np.float64


def test_from_blocks_it_is_the_same_fit(data, problem, start):
    X, y = data
    blocks = [(X[i : i + 50], y[i : i + 50]) for i in range(0, 300, 50)]
    fit = Problem.from_blocks(problem.net, blocks).fit(start, max_passes=8)
    assert_allclose(fit.losses, problem.fit(start, max_passes=8).losses, rtol=1e-9)


def test_a_step_too_long_comes_back(problem, start, count):
    def overflow():
        raise RangeError("overflowed")

    count.at = {3: overflow}
    fit = problem.fit(start, max_passes=12)
    assert fit.passes == 12
    assert fit.losses[2] == fit.gradient_norms[2] == np.inf
    assert np.isfinite(fit.losses[3:]).all()
    assert fit.loss < fit.losses[0]
    count.passes, count.at = 0, {1: overflow}
    with pytest.raises(RangeError):  # where there is nothing to come back to
        problem.fit(start)


@pytest.mark.parametrize("far", [1e39, np.inf, np.nan])
def test_theta_out_of_range_is_a_step_too_long(data, start, far):
    X, y = (np.float32(a) for a in data)
    narrow = mb.Parameters(np.float32(start.Gamma1), np.float32(start.Gamma2))
    problem = Problem.from_arrays(mb.Network("tanh", None), X, y)
    path = _Path(problem, narrow, None, None, None, lambda done, total, what: None)
    theta = narrow.to_vector().astype(np.float64)
    first, _ = path.evaluate(theta)
    loss, gradient = path.evaluate(np.full_like(theta, far))
    assert (loss, path.losses) == (2 * first + 1, [first, np.inf])
    assert not gradient.any()


@pytest.mark.parametrize("method", ["L-BFGS-B", "SLSQP"])
def test_nobody_converges_where_the_loss_overflows(problem, start, count, method):
    def overflow():
        raise RangeError("overflowed")

    count.at = dict.fromkeys(range(2, 200), overflow)
    fit = problem.fit(start, method=method)
    assert not fit.converged
    assert fit.loss == fit.losses[0]
    if method == "SLSQP":  # which says that it did
        assert fit.message.startswith("ended where the loss overflows, although: Optimization")


def test_overflows_are_replayed_too(problem, start, count, tmp_path):
    def overflow():
        raise RangeError("overflowed")

    count.at = {3: overflow}
    whole = problem.fit(start, max_passes=9)
    count.passes = 0
    problem.fit(start, max_passes=4, checkpoint=tmp_path / "log")
    count.passes = 3  # the next is to see that the rows are the same
    assert_same(problem.fit(start, max_passes=9, checkpoint=tmp_path / "log"), whole)
    assert count.passes == 9


def test_one_block_of_float64_is_enough(problem, start):
    mixed = mb.Parameters(np.float32(start.Gamma1), start.Gamma2, start.gamma, start.beta)
    fit = problem.fit(mixed, max_passes=1)
    assert fit.parameters.to_vector().tobytes() == mixed.to_vector().tobytes()


def test_a_step_has_the_loss_of_its_own_parameters(problem, start):
    """Also where a line search has not ended with the point that it keeps."""
    steps = []
    path = _Path(problem, start, None, None, steps.append, lambda done, total, what: None)
    theta = start.to_vector()
    kept = theta + 0.01
    moving = kept.copy()  # SciPy may evaluate in one array all the time
    path.evaluate(moving)
    moving += 1
    path.evaluate(moving)
    path.iterated(kept)
    assert steps[0].loss == path.losses[0] != path.losses[1]
    path.iterated(kept)  # without a pass of its own
    assert steps[1].loss == path.losses[1]


def test_rows_that_changed_are_an_error_at_once(start, data):
    X, y = data

    class Shrinking:
        times = 0

        def __iter__(self):
            self.times += 1
            rows = 300 if self.times < 4 else 200
            yield X[:rows], y[:rows]

    problem = Problem.from_blocks(mb.Network("tanh"), Shrinking())
    with pytest.raises(DataError, match="passed over 200 rows, where the first look had found 300"):
        problem.fit(start)


def test_parameters_that_do_not_conform_leave_no_log(problem, tmp_path):
    wide = mb.Parameters(np.ones((5, 2)), [1.0, 1.0], [1.0, 1.0], [0.0, 0.0])
    with pytest.raises(ShapeError, match=r"`problem.fit\(start\)` needs one row of Gamma1"):
        problem.fit(wide, checkpoint=tmp_path / "log")
    assert not (tmp_path / "log").exists()


def test_where_there_is_no_terminal_there_is_no_bar(problem, start, capsys):
    problem.fit(start, progress=True, max_passes=3)
    shown = capsys.readouterr()
    assert (shown.out, shown.err) == ("", "")


@pytest.mark.parametrize(
    ("arguments", "options", "error", "text"),
    [
        (("theta",), {}, DtypeError, "needs start to be a `Parameters`; got str"),
        ((), {"method": "Powell"}, OptionError, 'knows method = "L-BFGS-B", "BFGS"'),
        ((), {"max_passes": 0}, OptionError, "needs an integer max_passes >= 1; got 0"),
        ((), {"progress": 1}, OptionError, "knows progress = True, False"),
        ((), {"callback": 3}, OptionError, "needs callback to be a function; got 3"),
        ((), {"options": [1]}, OptionError, "needs options to be a dict"),
        ((mb.Parameters(np.ones((5, 2)), [1.0, 1.0], [1.0, 1.0], [0.0, 0.0]),), {}, ShapeError,
         "needs one row of Gamma1 for each column of X"),
        ((mb.Parameters(np.ones((4, 2)), [1.0, 1.0]),), {}, OptionError, "have no gamma and beta"),
    ],
)  # fmt: skip
def test_bad_input(problem, start, arguments, options, error, text):
    with pytest.raises(error, match=text):
        problem.fit(*(arguments or (start,)), **options)
