"""What may explain a mistake: the parts of the point, what is said to be known, the network."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from matbackprop._typing import Array
from matbackprop._validation import real_array
from matbackprop.checking.network_case import NetworkCase
from matbackprop.checking.packing import Packing
from matbackprop.errors import OptionError


@dataclass(frozen=True, slots=True, eq=False)
class Quantities:
    """Named numbers and arrays at one point.

    Attributes
    ----------
    sizes
        Numbers: N where it is known, and every known scalar.
    arrays
        Arrays by name: the parts of the point, the known ones, those of the network.
    own
        The names among them that the point itself has.
    loss
        "mse" or "sse", where the network says which.
    """

    sizes: Mapping[str, float]
    arrays: Mapping[str, Array]
    own: frozenset[str]
    loss: str = ""


class Knowledge:
    """`known=` and `network=`, ready to be evaluated at any point."""

    def __init__(
        self, known: Mapping[str, Any] | None, case: NetworkCase | None, packing: Packing, /
    ) -> None:
        if known is not None and not isinstance(known, Mapping):
            raise OptionError(
                f"`{packing.call}` needs known as a dict of names and what they stand for, such "
                f'as {{"N": 50, "sigma": sigma}}; got {type(known).__name__}.'
            )
        self._known = dict(known or {})
        self._packing = packing
        self.case = case

    def at(self, theta: Array, /) -> Quantities:
        """Evaluate everything at the point θ.

        Raises
        ------
        DataError, DtypeError
            If something known is not finite, or not real.
        """
        packing = self._packing
        arrays: dict[str, Array] = {
            name or "the parameter": block for name, block in packing.blocks(theta).items()
        }
        own = frozenset(arrays)
        if self.case is not None:
            arrays |= self.case.quantities(theta)
        for name, value in self._known.items():
            arrays[str(name)] = self._evaluated(str(name), value, theta)
        scalars = {
            name: float(a.reshape(()))
            for name, a in arrays.items()
            if a.size == 1 and name not in own
        }
        sizes = {"N": N} if (N := self._rows(scalars, arrays)) else {}
        sizes |= {k: v for k, v in scalars.items() if k not in ("N", "n")}
        vectors = {name: a for name, a in arrays.items() if a.size > 1 or name in own}
        return Quantities(sizes, vectors, own, "" if self.case is None else self.case.net.loss)

    def _evaluated(self, name: str, value: Any, theta: Array) -> Array:
        if isinstance(value, Callable):  # type: ignore[arg-type]
            try:
                value = value(self._packing.build(theta.copy()))
            except Exception as error:
                error.add_note(f"(raised by known[{name!r}], called by `{self._packing.call}`)")
                raise
        array = real_array(value, call=self._packing.call, name=f"known[{name!r}]")
        return np.asarray(array, dtype=np.float64)

    def _rows(self, scalars: Mapping[str, float], arrays: Mapping[str, Array]) -> float | None:
        for name in ("N", "n"):
            if name in scalars:
                return scalars[name]
        if self.case is not None:
            return float(self.case.N)
        for name in ("X", "y", "Y", "x"):
            if name in self._known and arrays[name].ndim:
                return float(len(arrays[name]))
        return None


def check_rng(rng: object, /, *, call: str) -> np.random.Generator:
    """Return the generator; of the same seed each time where none was given."""
    if rng is None:
        return np.random.default_rng(20180220)
    if not isinstance(rng, np.random.Generator):
        raise OptionError(
            f"`{call}` needs rng as a numpy.random.Generator; got {rng!r}. "
            "Pass `np.random.default_rng(seed)`."
        )
    return rng
