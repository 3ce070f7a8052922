"""The torch note on automatic differentiation: what it needs, hands over, and makes needless."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np

from matbackprop._typing import Array
from matbackprop.verification.claims.claim import Claim, Trial, weigh
from matbackprop.verification.claims.definition import batch_norm, mean
from matbackprop.verification.claims.draw import Draw, pulled_back
from matbackprop.verification.claims.torch_note_batch import ChannelBatch, channel_batch


class Operation(NamedTuple):
    """One line of a program: its name, what it computes, and of which earlier names."""

    name: str
    value: Callable[..., Array]
    of: tuple[str, ...]


def _forward(b: ChannelBatch) -> tuple[Operation, ...]:
    return (
        Operation("mu", mean, ("x",)),
        Operation("centred", lambda x, mu: x - mu, ("x", "mu")),
        Operation("variance", lambda centred: mean(centred**2), ("centred",)),
        Operation("root", lambda var: np.sqrt(var + b.eps), ("variance",)),
        Operation("xhat", lambda centred, root: centred / root, ("centred", "root")),
        Operation("y", lambda xhat, g, beta: g * xhat + beta, ("xhat", "gamma", "beta")),
    )


def _inputs(b: ChannelBatch) -> dict[str, Array]:
    return {"x": b.x, "gamma": b.gamma, "beta": b.beta}


def reverse(
    program: Sequence[Operation], inputs: Mapping[str, Array], dy: Array
) -> Mapping[str, Array]:
    """Return ∂L by every name, from `dy`, that by the last: one operation back after the other.

    Each operation is known only by itself, and what comes from several uses of a name adds up.

    Examples
    --------
    >>> square = Operation("square", lambda x: x**2, ("x",))
    >>> twice = Operation("y", lambda square, x: square + 3 * x, ("square", "x"))
    >>> reverse((square, twice), {"x": np.array([5.0])}, np.ones(1))["x"]
    array([13.])
    """
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


def _automatic(draw: Draw) -> Trial:
    b = channel_batch(draw)
    truth = {
        "x": b.true_dx(),
        "gamma": pulled_back(lambda gamma: batch_norm(b.x, gamma, b.beta, b.eps), b.gamma, b.dy),
        "beta": pulled_back(lambda beta: batch_norm(b.x, b.gamma, beta, b.eps), b.beta, b.dy),
    }

    def found() -> Array:
        gradients = reverse(_forward(b), _inputs(b), b.dy)
        return np.concatenate([gradients[name].ravel() for name in truth])

    return weigh(np.concatenate([gradient.ravel() for gradient in truth.values()]), found)


def _required(draw: Draw) -> Trial:
    b = channel_batch(draw)
    truth = b.true_dx()
    # μ computed outside: for automatic differentiation a constant, as after `detach`.
    outside = (Operation("mu", lambda: b.mu, ()), *_forward(b)[1:])

    def is_missed(program: Sequence[Operation]) -> float:
        found = reverse(program, _inputs(b), b.dy)["x"]
        return float(weigh(truth, lambda: found).printed > 1e-6)

    return weigh(is_missed(_forward(b)), lambda: 1.0, conditioned=(is_missed(outside), lambda: 1.0))


def _handed_over(draw: Draw) -> Trial:
    b = channel_batch(draw)
    weights, targets = draw.matrix(*b.x.shape), draw.matrix(*b.x.shape)
    behind = (
        Operation("gain", lambda y: np.atleast_1d(np.sum(weights * np.tanh(y))), ("y",)),
        Operation("cost", lambda y: np.atleast_1d(np.sum((y - targets) ** 2)), ("y",)),
        Operation("L", lambda gain, cost: gain * cost, ("gain", "cost")),
    )

    def loss(y: Array) -> Array:
        return np.asarray(np.sum(weights * np.tanh(y)) * np.sum((y - targets) ** 2))

    y = batch_norm(b.x, b.gamma, b.beta, b.eps)
    return weigh(
        pulled_back(loss, y, np.ones(1)),
        lambda: reverse((*_forward(b), *behind), _inputs(b), np.ones(1))["y"],
    )


_claim = partial(Claim, source="torch note")

AUTOMATIC = (
    _claim(
        key="torch note/grad_output",
        place="first half, section 1, above the code (printed twice); second half, opening",
        says="what a backward pass is handed, grad_output, is ∂L/∂y",
        how="reverse accumulation over the layer and a loss that uses y twice, as autograd goes: "
        "what has arrived at y, against one complex step through the whole loss",
        experiment=_handed_over,
    ),
    _claim(
        key="torch note/custom backward",
        place="second half, opening; taken back there and under the heading on implementation",
        says="the gradients require a backward pass of one's own",
        how="1 if reverse accumulation over the operations of the forward pass misses ∂L/∂x; under "
        "the condition, with a μ that was computed outside, and so is a constant to it",
        experiment=_required,
        only_if="a step of the forward pass is hidden from automatic differentiation",
    ),
    _claim(
        key="torch note/automatic",
        place="second half, opening, and under the heading on implementation",
        says="from a forward pass of differentiable operations the backward pass follows of "
        "itself: no formula for it has to be written",
        how="reverse accumulation over the six operations of the forward pass, each known only by "
        "its own derivative, against a complex step through the whole layer",
        experiment=_automatic,
    ),
)
