"""What can be asked of all rows: the exact gradient, loss, predictions, JᵀJ, and a fit."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from matbackprop._typing import Array
from matbackprop._validation import check_flag
from matbackprop.batchnorm import Moments
from matbackprop.batchnorm.dispatch import is_compiling
from matbackprop.errors import DtypeError, OptionError, RangeError
from matbackprop.network.affine_form import BatchForm
from matbackprop.network.door import restored
from matbackprop.network.model import Network
from matbackprop.network.parameters import Parameters
from matbackprop.network.result import Gradient
from matbackprop.network.row_blocks import Sums, gradient_of
from matbackprop.streaming.fit_record import Fit, Step
from matbackprop.streaming.fitting import fit
from matbackprop.streaming.folding import fold
from matbackprop.streaming.gauss_newton import gauss_newton_matrix, gauss_newton_operator
from matbackprop.streaming.host import on_host
from matbackprop.streaming.passes import Manner, Passes
from matbackprop.streaming.sources.source import Source
from matbackprop.streaming.works.mapped import GradientWork, LossWork

if TYPE_CHECKING:
    from scipy.sparse.linalg import LinearOperator


class FullBatch:
    """A network and the rows of a source, passed over as often as need be.

    Attributes
    ----------
    net
        The network's options.
    rows, weight
        How many rows there are, and the sum of their weights (without weights the same number).
    data
        x̄ and C, a `DataMoments`; None without batch norm.
    passes
        How the rows are passed over.
    """

    def __init__(self, net: Network, source: Source, manner: Manner, /) -> None:
        if not isinstance(net, Network):
            raise DtypeError(
                f"`{manner.call}` needs net to be a `Network`; got {type(net).__name__}."
            )
        self.net = net
        self.passes = Passes(source, manner)
        survey = self.passes.survey(with_moments=net.batch_norm is not None)
        self.rows, self.weight, self.data = survey.rows, survey.weight, survey.moments

    def __repr__(self) -> str:
        layout = self.passes.source.layout
        outputs = layout.outcome[0] if layout.outcome else 1
        return (
            f"{type(self).__name__}({self.rows:,} rows, {layout.p1} inputs, {outputs} output(s), "
            f"{layout.dtype}; {self.net})"
        )

    def gradient(self, par: Parameters, /, *, moments: Moments | None = None) -> Gradient:
        """Return the loss R and its gradients: one pass over the rows.

        Parameters
        ----------
        par
            The parameters.
        moments
            None: μ and σ are those of all rows and are differentiated. Given: constants.

        Returns
        -------
        The `Gradient` that `matbackprop.gradient` returns, without `X` and `fitted`.

        Raises
        ------
        ShapeError, OptionError
            If the parameters do not conform with the data, or disagree about batch norm.
        DataError
            If batch norm cannot divide by a column's spread, the result overflows, or the rows
            are not those of the first look.
        """
        call = "problem.gradient(par)"
        form, row_map = fold(self.net, par, moments, self.passes, self.data, call=call)
        p2, dtype = len(row_map.c), row_map.c.dtype.name
        sweep_rows = self.passes.rows_a_sweep(p2, dtype) if is_compiling() else None
        sums = self.passes.total(GradientWork(row_map, sweep_rows), call)
        sums = Sums(*(on_host(part) for part in (sums.loss, sums.W, sums.c, sums.Gamma2)))
        raw = gradient_of(form, sums, self.net.c0(self.weight))
        if not all(np.isfinite(block).all() for _, block in raw.blocks()):
            self.passes.raise_first_fault()
        g = restored(raw, par, row_map.W.dtype, call=call)
        layout = self.passes.source.layout
        return replace(g, input_names=layout.input_names, output_names=layout.output_names)

    def loss(self, par: Parameters, /, *, moments: Moments | None = None) -> float:
        """Return R alone: one pass, forwards only.

        Raises
        ------
        ShapeError, OptionError, DataError
            As `gradient` does.
        """
        call = "problem.loss(par)"
        _, row_map = fold(self.net, par, moments, self.passes, self.data, call=call)
        total = self.passes.total(LossWork(row_map), call)
        loss = self.net.c0(self.weight) * float(on_host(total.value))
        if not np.isfinite(loss):
            self.passes.raise_first_fault()
            raise RangeError(
                f"`{call}` overflowed: the loss is not finite, though X, y and the parameters are. "
                "Rescale them."
            )
        return loss

    def moments(self, par: Parameters, /) -> Moments:
        """Return μ and σ of Z = XΓ₁ over all rows: to keep, and to predict new rows with.

        Raises
        ------
        ShapeError, OptionError, DataError
            As `gradient` does; also without batch norm.
        """
        call = "problem.moments(par)"
        form, _ = fold(self.net, par, None, self.passes, self.data, call=call)
        if not isinstance(form, BatchForm):
            raise OptionError(f"`{call}` is for batch norm, and this network has none.")
        return Moments(form.mu, form.sigma)

    def predict(self, par: Parameters, /, *, moments: Moments | None = None) -> Any:
        """Return the fitted values ŷ = a(b(XΓ₁))Γ₂, lazily.

        Returns
        -------
        An iterator over NumPy arrays (n,) or (n, q), a piece of rows at a time and in order:
        `np.concatenate(list(…))` for all of them. From Dask's arrays, a Dask array.

        Raises
        ------
        ShapeError, OptionError, DataError
            As `gradient` does; at once, not when the first piece is asked for.
        """
        _, row_map = fold(
            self.net, par, moments, self.passes, self.data, call="problem.predict(par)"
        )
        return self.passes.source.predicted(row_map, par.Gamma2.ndim, self.rows)

    def gauss_newton(
        self, par: Parameters, /, *, dense: bool = False, moments: Moments | None = None
    ) -> LinearOperator | Array:
        """Return JᵀJ for J = ∂vec(ŷ)/∂θᵀ, θ = (vec Γ₁, vec Γ₂, γ, β); with weights, JᵀΩJ.

        2c₀JᵀJ is the Gauss-Newton approximation of the loss's Hessian.

        Parameters
        ----------
        par
            The parameters, P in all.
        dense
            False: a `scipy.sparse.linalg.LinearOperator`, each product one pass over the rows.
            True: the P × P matrix, accumulated in one pass.
        moments
            As in `gradient`.

        Raises
        ------
        ShapeError, OptionError, DataError
            As `gradient` does.
        """
        call = "problem.gauss_newton(par)"
        check_flag(dense, call=call, name="dense")
        form, row_map = fold(self.net, par, moments, self.passes, self.data, call=call)
        maker = gauss_newton_matrix if dense else gauss_newton_operator
        return maker(form, row_map, par, lambda work: self.passes.total(work, call))

    def fit(
        self,
        start: Parameters,
        /,
        *,
        method: str = "L-BFGS-B",
        callback: Callable[[Step], object] | None = None,
        progress: bool = False,
        checkpoint: str | Path | None = None,
        max_passes: int | None = None,
        options: Mapping[str, Any] | None = None,
    ) -> Fit:
        """Minimise the loss R over all parameters; each evaluation is one pass over the rows.

        Parameters
        ----------
        start
            Where to begin. Its dtype is that in which the rows are multiplied where they are of
            float32 too; the optimiser itself works in float64.
        method
            "L-BFGS-B", "BFGS", "CG", "TNC" or "SLSQP", of `scipy.optimize.minimize`.
        callback
            Called with a `Step` after each iteration; may raise StopIteration to end the fit.
        progress
            Whether to show loss, gradient norm and passes, on standard error.
        checkpoint
            A file to log the answers of the passes in. If it holds those of the same fit, one pass
            sees that the rows are the same, and no other is made again: the fit goes on where it
            was, to the same last bit. `max_passes` and limits in `options` may be other ones.
        max_passes
            After how many passes to stop; those of a checkpoint count.
        options
            Handed to SciPy, such as ``{"maxiter": 200, "gtol": 1e-6}``.

        Returns
        -------
        A `Fit` with the best parameters. Also after an interrupt (Ctrl-C), once there was a pass.

        Raises
        ------
        OptionError
            If an option is out of its range, or the checkpoint is that of another fit.
        ShapeError, DataError
            As `Problem.gradient` does; DataError also if the checkpoint cannot be written.

        References
        ----------
        Byrd, Lu, Nocedal and Zhu (1995), *A Limited Memory Algorithm for Bound Constrained
        Optimization*.
        """
        return fit(
            self,
            start,
            method=method,
            callback=callback,
            progress=progress,
            checkpoint=checkpoint,
            max_passes=max_passes,
            options=options,
        )
