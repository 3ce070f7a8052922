"""Two mistakes at once."""

import numpy as np

from tests.checking.zoo_losses import gaussian, linear, logistic, network, softmax
from tests.checking.zoo_mistakes import SSE, Mistake, larger, of
from tests.checking.zoo_plants import (
    N_times,
    at_index,
    blocks_exchanged,
    both,
    edited,
    exchanged,
    option,
    row_major,
    times,
    transposed,
)

PAIRS = [
    Mistake(
        "transposed and doubled: linear",
        of(linear, p=4, q=4),
        both(transposed(), times(2)),
        "transposed",
        then="constant factor",
    ),
    Mistake(
        "row-major and sign: linear",
        of(linear, form="vector"),
        both(row_major(), times(-1)),
        "row-major order",
        then="constant factor",
    ),
    Mistake(
        "no ridge and N: linear",
        of(linear, ridge=0.2),
        both(option(ridge=0.0), N_times()),
        "missing term",
        then=SSE,
    ),
    Mistake(
        "one entry and sign: logistic",
        of(logistic, p=8),
        both(at_index(3, larger), times(-1)),
        "one index",
        then="constant factor",
    ),
    Mistake(
        "columns exchanged and N: softmax",
        softmax,
        both(exchanged(0, 1), N_times()),
        "exchanged",
        then=SSE,
    ),
    Mistake(
        "slope of 1 and sse for mse: network",
        network,
        both(option(slope=lambda f: 1 + 0 * f["H"]), N_times()),
        "activation derivative",
        then="sse for mse",
    ),
    Mistake(
        "no mean term and sigma: network",
        network,
        option(mean=0.0, gain=lambda f: f["gamma"] * f["sigma"]),
        "mean term",
        then="scale|factor per column",
    ),
    Mistake(
        "slope at Z and moments held fixed: network",
        network,
        option(mean=0.0, variance=0.0, slope=lambda f: 1 - np.tanh(f["Z"]) ** 2),
        "activation derivative",
        then="fixed moments",
    ),
    Mistake(
        "Gamma1 transposed, Gamma2 halved: network",
        of(network, p1=4, p2=4),
        both(transposed("Gamma1"), times(0.5, "Gamma2")),
        "transposed",
        then="constant factor",
    ),
    Mistake(
        "gamma, beta exchanged and sign: network",
        network,
        both(blocks_exchanged("gamma", "beta"), times(-1)),
        "exchanged",
        then="constant factor",
    ),
    Mistake(
        "no log-determinant, M negated: gaussian",
        gaussian,
        both(option(q_U=0), times(-1, "M")),
        "missing term",
        then="constant factor",
    ),
    Mistake(
        "U doubled off the diagonal, V transposed M: gaussian",
        of(gaussian, n=3, q=3),
        both(
            edited(lambda c, G, x: 2 * G - np.diag(np.diag(G)), "U"),
            transposed("M"),
        ),
        "symmetric",
        then="transposed",
    ),
]
