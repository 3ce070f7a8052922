"""`Problem`: a network and rows of any number, wherever they come from."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from matbackprop._typing import ArrayLike
from matbackprop.network.model import Network
from matbackprop.streaming.full_batch import FullBatch
from matbackprop.streaming.passes import Manner
from matbackprop.streaming.sources.arrays import array_source
from matbackprop.streaming.sources.blocks import BlockSource
from matbackprop.streaming.sources.parquet import parquet_source

if TYPE_CHECKING:
    pass


class Problem(FullBatch):
    """The batch-norm network over rows of any number: R and its gradients, exactly, in one pass.

    Batch norm needs of X only N, x̄ and C = Σ(x − x̄)(x − x̄)ᵀ. They are found once, when the problem
    is made; from then on each row meets an affine map (see `matbackprop.network.affine_form`), and
    everything that leaves a block of rows is a sum. Nothing with N rows is ever stored.

    Notes
    -----
    With weights w ≥ 0 every sum over rows is one of w times a row, in the loss and in the moments
    alike, and N is Σw: whole weights are the same as repeated rows. Results do not depend on the
    number of threads, to the last bit. Where columns of X nearly cancel in Z, C cannot tell σ,
    and a pass looks at Z first.

    Do not change the rows once the problem is made: x̄ and C would be those of others.

    Examples
    --------
    >>> import numpy as np
    >>> import matbackprop as mb
    >>> rng = np.random.default_rng(0)
    >>> X, y = rng.standard_normal((1000, 3)), rng.standard_normal(1000)
    >>> net, par = mb.Network("relu"), mb.Parameters.random(3, 2, rng=rng)
    >>> problem = Problem.from_arrays(net, X, y)
    >>> g = problem.gradient(par)
    >>> np.allclose(g.to_vector(), mb.gradient(net, par, X, y).to_vector())
    True
    """

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
        """Return the problem of arrays, which stay where they are.

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
        >>> import numpy as np
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
