"""`Problem`: a network and rows of any number; everything about them in one pass."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from matbackprop._typing import Array, ArrayLike
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
from matbackprop.streaming.sources.arrays import array_source
from matbackprop.streaming.sources.blocks import BlockSource
from matbackprop.streaming.sources.parquet import parquet_source
from matbackprop.streaming.sources.source import Source
from matbackprop.streaming.works.mapped import GradientWork, LossWork

if TYPE_CHECKING:
    from scipy.sparse.linalg import LinearOperator


class Problem:
    """The batch-norm network over rows of any number: R and its gradients, exactly, in one pass.

    Batch norm needs of X only N, x̄ and C = Σ(x − x̄)(x − x̄)ᵀ. They are found once, when the problem
    is made; from then on each row meets an affine map (see `matbackprop.network.affine_form`), and
    everything that leaves a block of rows is a sum. Nothing with N rows is ever stored.

    Attributes
    ----------
    net
        The network's options.
    rows, weight
        How many rows there are, and the sum of their weights (without weights the same number).
    data
        x̄ and C, a `DataMoments`; None without batch norm.
    probe
        A sum of all that there is, by which to know the rows again.
    passes
        How the rows are passed over.

    Notes
    -----
    With weights w ≥ 0 every sum over rows is one of w times a row, in the loss and in the moments
    alike, and N is Σw: whole weights are the same as repeated rows. Results do not depend on the
    number of threads, to the last bit.

    Examples
    --------
    >>> import matbackprop as mb
    >>> rng = np.random.default_rng(0)
    >>> X, y = rng.standard_normal((1000, 3)), rng.standard_normal(1000)
    >>> net, par = mb.Network("relu"), mb.Parameters.random(3, 2, rng=rng)
    >>> problem = Problem.from_arrays(net, X, y)
    >>> g = problem.gradient(par)
    >>> np.allclose(g.to_vector(), mb.gradient(net, par, X, y).to_vector())
    True
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
        self.probe = float(on_host(survey.probe))

    @classmethod
    def from_arrays(
        cls,
        net: Network,
        X: ArrayLike,
        y: ArrayLike,
        /,
        *,
        weights: ArrayLike | None = None,
        threads: int | None = None,
        block_rows: int | None = None,
        progress: bool = False,
    ) -> Problem:
        """Return the problem of arrays, which are neither copied nor moved.

        Parameters
        ----------
        net
            The network's options.
        X, y
            Shapes (N, p1) and (N,) or (N, q): arrays of NumPy (memory maps too), data frames, or
            arrays of torch, CuPy or another library of the array API standard, on their device.
        weights
            One a row, none negative; None for 1 each.
        threads
            How many; by default as many as there are cores to use. Arrays of other libraries
            have threads of their own.
        block_rows
            Rows a block; by default what fits into the cache, or fills the device.
        progress
            Whether long passes show a bar, on standard error.

        Raises
        ------
        ShapeError
            If the shapes do not conform.
        DtypeError
            If the numbers are not real, or of different libraries.
        DataError
            If there is no row, an entry is not finite, or a weight is negative.
        OptionError
            If an option is out of its range.

        Examples
        --------
        >>> import matbackprop as mb
        >>> problem = Problem.from_arrays(mb.Network(), [[1.0], [2.0], [6.0]], [0.0, 1.0, 0.0])
        >>> problem.rows, problem.data.mean
        (3, array([3.]))
        """
        call = "Problem.from_arrays(net, X, y)"
        manner = Manner(call, threads, block_rows, progress)
        return cls(net, array_source(X, y, weights, call=call), manner)

    @classmethod
    def from_blocks(
        cls,
        net: Network,
        blocks: Iterable[Any],
        /,
        *,
        threads: int | None = None,
        block_rows: int | None = None,
        progress: bool = False,
    ) -> Problem:
        """Return the problem of rows that come in blocks.

        Parameters
        ----------
        net
            The network's options.
        blocks
            An object that can be iterated again and again: each time it yields the same tuples
            (X, y) or (X, y, weights), of any number of rows, made in the calling thread. Twice
            as many as there are threads are in use at a time: none may be filled anew.
        threads, block_rows, progress
            As in `from_arrays`; blocks are cut further, to fit into the cache.

        Raises
        ------
        ShapeError, DtypeError, DataError, OptionError
            As `from_arrays` does, with the number of the block; also if `blocks` can be iterated
            only once, or disagree in width or dtype.

        Examples
        --------
        >>> import matbackprop as mb
        >>> blocks = [(np.array([[1.0], [2.0]]), np.zeros(2)), (np.array([[6.0]]), np.ones(1))]
        >>> Problem.from_blocks(mb.Network(), blocks).data.mean
        array([3.])
        """
        call = "Problem.from_blocks(net, blocks)"
        return cls(net, BlockSource(blocks), Manner(call, threads, block_rows, progress))

    @classmethod
    def from_parquet(
        cls,
        net: Network,
        files: str | Path | Sequence[str | Path],
        /,
        *,
        inputs: Sequence[str],
        outputs: str | Sequence[str],
        weights: str | None = None,
        threads: int | None = None,
        block_rows: int | None = None,
        progress: bool = False,
    ) -> Problem:
        """Return the problem of columns of Parquet files, read a batch at a time; needs pyarrow.

        Parameters
        ----------
        net
            The network's options.
        files
            A file, a folder of `*.parquet` (taken in the order of their names), or several files.
        inputs
            Names of the columns of X.
        outputs
            The name of the column of y, shape (N,); or names of several, shape (N, q).
        weights
            The name of a column of weights.
        threads, block_rows, progress
            As in `from_arrays`.

        Raises
        ------
        DataError
            If there is no such file, a column is missing, or an entry is missing or not finite.
        DtypeError
            If a column is not numeric.
        MissingExtraError
            If pyarrow is not installed.
        """
        call = "Problem.from_parquet(net, files, inputs=, outputs=)"
        manner = Manner(call, threads, block_rows, progress)
        return cls(net, parquet_source(files, inputs, outputs, weights, call=call), manner)

    @classmethod
    def from_dask(
        cls,
        net: Network,
        X: Any,
        y: Any,
        /,
        *,
        weights: Any = None,
        block_rows: int | None = None,
    ) -> Problem:
        """Return the problem of Dask arrays or data frames; needs dask.

        Each partition is passed over where it lies, by one thread; its sums are merged on the
        workers, along a tree. What comes back has the size of the parameters. Persist the data
        first unless they shall be read again in every pass.

        Parameters
        ----------
        net
            The network's options.
        X, y, weights
            Dask arrays of shapes (N, p1), (N,) or (N, q), and (N,); or frames and series.

        Raises
        ------
        ShapeError, DtypeError, DataError
            As `from_arrays` does; also if the partitions do not match.
        MissingExtraError
            If dask is not installed.
        """
        from matbackprop.streaming.sources.dask_graph import dask_source

        call = "Problem.from_dask(net, X, y)"
        manner = Manner(call, block_rows=block_rows)
        return cls(net, dask_source(X, y, weights, call=call), manner)

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
        """Return R alone: one pass, with half the work of the gradient.

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
        return self.passes.source.predicted(row_map, par.Gamma2.ndim)

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
        """Minimise R from `start` by a method of `scipy.optimize`: see `streaming.fitting.fit`."""
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
