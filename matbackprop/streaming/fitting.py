"""Fitting: SciPy's optimisers, one pass over the rows an evaluation."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from matbackprop._typing import Array, Progress
from matbackprop._validation import check_count, check_flag, check_option, frozen
from matbackprop.errors import DtypeError, OptionError, RangeError
from matbackprop.network.door import conform_parameters
from matbackprop.network.parameters import Parameters
from matbackprop.reporting import Terminal
from matbackprop.streaming.fit_log import FitLog, fingerprint
from matbackprop.streaming.fit_record import Fit, Step

if TYPE_CHECKING:
    from matbackprop.streaming.full_batch import FullBatch  # which imports this file's `fit`

METHODS = ("L-BFGS-B", "BFGS", "CG", "TNC", "SLSQP")
"""Those of `scipy.optimize.minimize` that need a loss and its gradient, and nothing else."""

_CALL = "problem.fit(start)"


class _Stopped(Exception):  # noqa: N818 - not an error
    """Ends a fit before its optimiser does; the text says why."""


def fit(
    problem: FullBatch,
    start: Parameters,
    /,
    *,
    method: str,
    callback: Callable[[Step], object] | None,
    progress: bool,
    checkpoint: str | Path | None,
    max_passes: int | None,
    options: Mapping[str, Any] | None,
) -> Fit:
    """Minimise the loss: see `FullBatch.fit`."""
    from scipy import optimize

    check_option(method, METHODS, call=_CALL, name="method")
    check_flag(progress, call=_CALL, name="progress")
    if max_passes is not None:
        check_count(max_passes, call=_CALL, name="max_passes")
    if callback is not None and not callable(callback):
        raise OptionError(f"`{_CALL}` needs callback to be a function; got {callback!r}.")
    if options is not None and not isinstance(options, Mapping):
        raise OptionError(
            f'`{_CALL}` needs options to be a dict such as {{"maxiter": 200}}; got {options!r}.'
        )
    if not isinstance(start, Parameters):
        raise DtypeError(f"`{_CALL}` needs start to be a `Parameters`; got {type(start).__name__}.")
    chosen: Any = dict(options or {})
    X, y = problem.passes.source.layout.stand_ins()
    conform_parameters(problem.net, start, None, X, y, problem.rows, call=_CALL)  # or no log
    log = None if checkpoint is None else _log(problem, start, method, Path(checkpoint))
    converged, message = False, ""
    try:
        with _showing(problem, progress) as show:
            path = _Path(problem, start, log, max_passes, callback, show)
            try:
                minimize: Any = optimize.minimize  # its annotations want the method spelt out
                result = minimize(
                    path.evaluate,
                    start.to_vector().astype(np.float64),
                    jac=True,
                    method=method,
                    callback=path.iterated,
                    options=chosen,
                )
            except _Stopped as stopped:
                message = str(stopped)
            except KeyboardInterrupt:
                if not path.losses:
                    raise
                message = f"interrupted after {len(path.losses)} passes"
                message += "" if log is None else f"; to go on, fit again with {checkpoint}"
            else:
                converged, message = path.judged(result)
    finally:
        if log is not None:
            log.close()
    return path.record(converged, message)


class _Path:
    """The way of a fit so far: answers the optimiser, and remembers the best."""

    def __init__(
        self,
        problem: FullBatch,
        start: Parameters,
        log: FitLog | None,
        max_passes: int | None,
        callback: Callable[[Step], object] | None,
        show: Progress,
    ) -> None:
        self._problem, self._start, self._log = problem, start, log
        self._max_passes, self._callback, self._show = max_passes, callback, show
        self._dtype = start.to_vector().dtype
        self._told: list[tuple[float, float]] = []  # loss and gradient norm
        self._best = start
        self._iterations = 0
        self._since: list[tuple[Array, float, float]] = []  # the passes of this iteration

    @property
    def losses(self) -> list[float]:
        """The loss of each pass; infinite where it overflowed."""
        return [loss for loss, _ in self._told]

    def evaluate(self, theta: Array) -> tuple[float, Array]:
        """Return loss and gradient, from the log or by a pass."""
        if len(self._told) == self._max_passes:
            raise _Stopped(f"stopped after max_passes = {self._max_passes}")
        answer = None if self._log is None else self._log.answer(theta)
        if answer is not None and not self._told:
            self._check_rows(theta, *answer)
        if answer is None:
            answer = self._passed(theta)
            if self._log is not None:
                self._log.append(theta, *answer)
        loss, gradient = answer
        # Where the loss overflowed its slope has no meaning, and θ may be out of range itself.
        finite = np.isfinite(loss)
        with np.errstate(over="ignore"):  # of its square
            norm = float(np.linalg.norm(gradient)) if finite else np.inf
        if finite and loss < min(self.losses, default=np.inf):
            self._best = self._parameters(theta)
        self._told.append((loss, norm))  # in one step: Ctrl-C comes before it or after it
        self._since.append((theta.copy(), loss, norm))
        done = len(self._told)
        text = f"loss {loss:.6g}, gradient {norm:.2g}, {done} passes"
        self._show(done, self._max_passes or done + 1, text)
        if finite:
            return answer
        # Worse than all there was, so that the line search comes back; to infinity L-BFGS-B's and
        # TNC's cannot fit a parabola.
        return 2 * max(filter(np.isfinite, self.losses)) + 1, gradient

    def iterated(self, theta: Array) -> None:
        """Tell the user's callback of an iteration."""
        self._iterations += 1
        # A line search may end with another point than the one that it kept.
        here = [answers for at, *answers in self._since if np.array_equal(at, theta)]
        self._since.clear()
        if self._callback is None:
            return
        loss, norm = here[-1] if here else self._told[-1]
        par = self._parameters(theta)
        step = Step(self._iterations, len(self._told), loss, norm, par)
        try:
            self._callback(step)
        except StopIteration:
            raise _Stopped("stopped by the callback") from None

    def judged(self, result: Any) -> tuple[bool, str]:
        """Return whether the optimiser converged, and its words.

        It has not where it took the place of an overflow, whose slope we called 0, for flat.
        """
        if float(result.fun) in self.losses:
            return bool(result.success), str(result.message)
        return False, f"ended where the loss overflows, although: {result.message}"

    def record(self, converged: bool, message: str) -> Fit:
        """Return what there is to keep."""
        net = self._problem.net
        losses, norms = zip(*self._told, strict=True)
        return Fit(
            network=net,
            parameters=self._best,
            moments=None if net.batch_norm is None else self._problem.moments(self._best),
            losses=frozen(np.array(losses)),
            gradient_norms=frozen(np.array(norms)),
            iterations=self._iterations,
            converged=converged,
            message=message,
        )

    def _parameters(self, theta: Array) -> Parameters:
        # The dtype of the start decides in which the rows are multiplied; θ itself is float64.
        return Parameters.from_vector(theta.astype(self._dtype), like=self._start)

    def _check_rows(self, theta: Array, loss: float, gradient: Array) -> None:
        """Raise unless a pass answers as the log does: all else of the rows may have changed."""
        now, slope = self._passed(theta)
        off = max(abs(now - loss), float(np.abs(slope - gradient).max()))
        if not off <= 1e-6 * max(abs(loss), float(np.abs(gradient).max())):
            raise OptionError(
                f"`{_CALL}`: the checkpoint is of other rows, or of another activation: its first "
                f"answer is off by {off:.2g}. Name another file; this one was left as it is."
            )

    def _passed(self, theta: Array) -> tuple[float, Array]:
        too_long = np.inf, np.zeros(theta.size)
        if not (np.abs(theta) <= np.finfo(self._dtype).max).all():  # NaN is not either
            return too_long
        try:
            g = self._problem.gradient(self._parameters(theta))
        except RangeError:
            if not self._told:
                raise
            return too_long
        return g.loss, g.to_vector().astype(np.float64)


def _log(problem: FullBatch, start: Parameters, method: str, path: Path) -> FitLog:
    theta, data = start.to_vector(), problem.data
    header = {
        "method": method,
        "network": repr(problem.net),
        "shapes": [list(start.Gamma1.shape), list(start.Gamma2.shape)],
        "start": fingerprint(theta),
        "dtype": theta.dtype.name,
        "rows": problem.rows,
        "weight": problem.weight,
        "data": "" if data is None else fingerprint(data.pivot, data.shift, data.gram),
    }
    return FitLog(path, header, theta.size)


@contextmanager
def _showing(problem: FullBatch, progress: bool) -> Iterator[Progress]:
    if not progress:
        yield lambda done, total, what: None
        return
    with problem.passes.silenced(), Terminal(sys.stderr).progress("first pass") as show:
        yield show
