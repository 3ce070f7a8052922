"""The torch note's remark that automatic differentiation can do all of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from matbackprop._typing import Array
from matbackprop.verification.claims.claim import Claim, Trial, weigh
from matbackprop.verification.claims.draw import Draw, pulled_back
from matbackprop.verification.claims.torch_note_batch import (
    TORCH,
    channel_batch,
    layer,
    mean,
)


class Operation(NamedTuple):
    """One line of a program: its name, what it computes, and of which earlier names."""

    name: str
    value: Callable[..., Array]
    of: tuple[str, ...]


def _automatic(draw: Draw) -> Trial:
    b = channel_batch(draw)
    program = (
        Operation("mu", mean, ("x",)),
        Operation("centred", lambda x, mu: x - mu, ("x", "mu")),
        Operation("variance", lambda centred: mean(centred**2), ("centred",)),
        Operation("root", lambda var: np.sqrt(var + b.eps), ("variance",)),
        Operation("xhat", lambda centred, root: centred / root, ("centred", "root")),
        Operation("y", lambda xhat, g, beta: g * xhat + beta, ("xhat", "gamma", "beta")),
    )
    inputs = {"x": b.x, "gamma": b.gamma, "beta": b.beta}
    truth = {
        "x": b.true_dx(),
        "gamma": pulled_back(lambda gamma: layer(b.x, gamma, b.beta, b.eps), b.gamma, b.dy),
        "beta": pulled_back(lambda beta: layer(b.x, b.gamma, beta, b.eps), b.beta, b.dy),
    }

    def found() -> Array:
        gradients = _reverse(program, inputs, b.dy)
        return np.concatenate([gradients[name].ravel() for name in truth])

    return weigh(np.concatenate([gradient.ravel() for gradient in truth.values()]), found)


def _reverse(
    program: Sequence[Operation], inputs: Mapping[str, Array], dy: Array
) -> Mapping[str, Array]:
    """Pull dy back through one operation after the other, knowing each only by itself."""
    values = dict(inputs)
    for name, value, of in program:
        values[name] = value(*(values[argument] for argument in of))
    gradients = {name: np.zeros_like(v) for name, v in values.items()}
    gradients[program[-1].name] = dy
    for name, value, of in reversed(program):
        for place, argument in enumerate(of):
            alone = _in_one_argument(value, [values[a] for a in of], place)
            gradients[argument] += pulled_back(alone, values[argument], gradients[name])
    return gradients


def _in_one_argument(
    f: Callable[..., Array], arguments: list[Array], place: int
) -> Callable[[Array], Array]:
    return lambda v: f(*arguments[:place], v, *arguments[place + 1 :])


AUTOMATIC = (
    Claim(
        key="torch note/automatic",
        source=TORCH,
        place="second half, opening, and under the heading on implementation",
        says="from a forward pass of differentiable operations the backward pass follows of "
        "itself: no formula for it has to be written",
        how="reverse accumulation over the six operations of the forward pass, each known only by "
        "its own derivative, against a complex step through the whole layer",
        experiment=_automatic,
    ),
)
