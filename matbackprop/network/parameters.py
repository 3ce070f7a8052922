"""The network's parameters θ = (vec Γ₁, vec Γ₂, γ, β), as a record and as a vector."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from matbackprop._typing import Array, ArrayLike
from matbackprop._validation import check_count, frozen, real_array
from matbackprop.errors import DtypeError, OptionError, ShapeError
from matbackprop.linalg import unvec, vec

_CALL = "Parameters(Gamma1, Gamma2, gamma, beta)"


@dataclass(frozen=True, slots=True, eq=False, init=False)
class Parameters:
    """Γ₁, Γ₂ and, with batch norm, γ and β. Copied on the way in, read-only from then on.

    Parameters
    ----------
    Gamma1
        Weights of the inputs, shape (p1, p2).
    Gamma2
        Weights of the hidden nodes, shape (p2,) for one output y of shape (N,), or (p2, q).
    gamma, beta
        Scale and shift of batch norm, shape (p2,) each; both None without batch norm.

    Raises
    ------
    ShapeError
        If the shapes do not conform.
    DtypeError, DataError
        If an entry is not a finite real number.

    Examples
    --------
    >>> par = Parameters(Gamma1=[[1.0, 2.0]], Gamma2=[3.0, 4.0])
    >>> par.to_vector()
    array([1., 2., 3., 4.])
    """

    Gamma1: Array
    Gamma2: Array
    gamma: Array | None
    beta: Array | None

    def __init__(
        self,
        Gamma1: ArrayLike,
        Gamma2: ArrayLike,
        gamma: ArrayLike | None = None,
        beta: ArrayLike | None = None,
    ) -> None:
        if (gamma is None) != (beta is None):
            given, missing = ("beta", "gamma") if gamma is None else ("gamma", "beta")
            raise ShapeError(
                f"`{_CALL}` needs gamma and beta together, or neither (no batch norm); "
                f"got {given} without {missing}. The neutral values are gamma = 1, beta = 0."
            )
        first = real_array(Gamma1, call=_CALL, name="Gamma1", ndim=2)
        second = real_array(Gamma2, call=_CALL, name="Gamma2", ndim=(1, 2))
        p2 = first.shape[1]
        if 0 in first.shape + second.shape:
            raise ShapeError(
                f"`{_CALL}` needs at least one input, hidden node and output; "
                f"got Gamma1 {first.shape}, Gamma2 {second.shape}."
            )
        if second.shape[0] != p2:
            raise ShapeError(
                f"`{_CALL}` needs one row of Gamma2 for each of the {p2} columns of Gamma1 (the "
                f"hidden nodes); got Gamma1 {first.shape}, Gamma2 {second.shape}."
            )
        fields: dict[str, Array | None] = {"Gamma1": first, "Gamma2": second}
        for name, value in (("gamma", gamma), ("beta", beta)):
            vector = None if value is None else real_array(value, call=_CALL, name=name, ndim=1)
            if vector is not None and vector.shape != (p2,):
                raise ShapeError(
                    f"`{_CALL}` needs one entry of {name} for each of the {p2} columns of Gamma1 "
                    f"(the hidden nodes); got Gamma1 {first.shape}, {name} {vector.shape}."
                )
            fields[name] = vector
        for name, array in fields.items():
            object.__setattr__(self, name, None if array is None else frozen(array))

    def to_vector(self) -> Array:
        """Return θ = (vec Γ₁, vec Γ₂, γ, β), shape (P,); vec stacks columns, as R does."""
        return stack(self.Gamma1, self.Gamma2, self.gamma, self.beta)

    @classmethod
    def from_vector(cls, v: ArrayLike, /, *, like: Parameters) -> Parameters:
        """Return the parameters whose `to_vector` is v, in the shapes of `like`; dtype of v.

        Raises
        ------
        ShapeError
            If v is not a vector with as many entries as `like` has parameters.

        Examples
        --------
        >>> par = Parameters(Gamma1=[[1.0, 2.0]], Gamma2=[3.0, 4.0])
        >>> Parameters.from_vector([5, 6, 7, 8], like=par).Gamma2
        array([7., 8.])
        """
        call = "Parameters.from_vector(v, like=par)"
        if not isinstance(like, Parameters):
            raise DtypeError(f"`{call}` needs like to be a `Parameters`; got {like!r}.")
        theta = real_array(v, call=call, name="v", ndim=1)
        P = like.to_vector().size
        if theta.size != P:
            raise ShapeError(
                f"`{call}` needs {P} entries, as `par.to_vector()` has; got {theta.size}."
            )
        return cls(*unstack(theta, like))

    @classmethod
    def random(
        cls,
        p1: int,
        p2: int,
        *,
        rng: np.random.Generator,
        q: int | None = None,
        batch_norm: bool = True,
    ) -> Parameters:
        """Draw parameters for p1 inputs, p2 hidden nodes and q outputs.

        Entries of Γ₁ are N(0, 1/p1), of Γ₂ N(0, 1/p2), so that Z and ŷ are of order one when X
        is; γ is uniform on (½, 3⁄2), β is N(0, ¼).

        Parameters
        ----------
        q
            None for one output as a vector, Γ₂ of shape (p2,); a number for shape (p2, q).
        batch_norm
            Whether to draw γ and β.

        Examples
        --------
        >>> par = Parameters.random(3, 2, rng=np.random.default_rng(0))
        >>> par.Gamma1.shape, par.Gamma2.shape, par.gamma.shape
        ((3, 2), (2,), (2,))
        """
        call = "Parameters.random(p1, p2, rng=…)"
        if not isinstance(rng, np.random.Generator):
            raise OptionError(
                f"`{call}` needs a `numpy.random.Generator`; got {rng!r}. "
                "Pass `np.random.default_rng(seed)`."
            )
        sizes = {"p1": p1, "p2": p2} | ({} if q is None else {"q": q})
        for name, size in sizes.items():
            check_count(size, call=call, name=name)
        return cls(
            Gamma1=rng.standard_normal((p1, p2)) / np.sqrt(p1),
            Gamma2=rng.standard_normal(p2 if q is None else (p2, q)) / np.sqrt(p2),
            gamma=rng.uniform(0.5, 1.5, p2) if batch_norm else None,
            beta=rng.standard_normal(p2) / 2 if batch_norm else None,
        )


def stack(*blocks: Array | None) -> Array:
    """Stack the columns of every block that is there into one vector."""
    return np.concatenate([vec(block) for block in blocks if block is not None])


def unstack(theta: Array, like: Parameters, /) -> list[Array | None]:
    """Cut θ (real, or complex during a complex step) into blocks of the shapes of `like`."""
    blocks: list[Array | None] = []
    start = 0
    for block in (like.Gamma1, like.Gamma2, like.gamma, like.beta):
        if block is None:
            blocks.append(None)
            continue
        blocks.append(unvec(theta[start : start + block.size], block.shape))
        start += block.size
    return blocks
