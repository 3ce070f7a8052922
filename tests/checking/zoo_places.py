"""Wrong only somewhere: one entry, row, column, block, sign of the parameter."""

import numpy as np

from tests.checking.zoo_losses import gaussian, linear, logistic, network, softmax
from tests.checking.zoo_mistakes import MINUS, SSE, TWO, Mistake, N, larger, minus, of, zero
from tests.checking.zoo_plants import (
    N_times,
    at_index,
    edited,
    option,
    over_N,
    shuffled,
    times,
    where_negative,
    where_positive,
)

PLACES = [
    Mistake("wrong below 0: linear", linear, where_negative(minus), "negative entries", "negative"),
    Mistake(
        "wrong below 0: lasso",
        of(logistic, lasso=0.3, p=10),
        edited(lambda c, G, x: G + 0.3 * (np.abs(np.sign(x)) - np.sign(x))),
        "negative entries",
        "negative",
    ),
    Mistake("zero below 0: softmax", softmax, where_negative(zero), "negative entries", "negative"),
    Mistake(
        "wrong below 0: network",
        of(network, p1=6),
        where_negative(minus, "Gamma1"),
        "negative entries",
        "negative",
        "Gamma1",
    ),
    Mistake(
        "wrong below 0: gaussian",
        of(gaussian, n=5, q=4),
        where_negative(shuffled(), "M"),
        "negative entries",
        "negative",
        "M",
    ),
    Mistake("wrong above 0: linear", linear, where_positive(zero), "positive entries", "positive"),
    Mistake("one entry: linear", linear, at_index((2, 1), larger), "one index", r"2, 1"),
    Mistake("last entry left out: logistic", logistic, at_index(-1, zero), "one index", r"\b5\b"),
    Mistake("first entry: logistic", logistic, at_index(0, larger), "one index", r"\b0\b"),
    Mistake(
        "one entry: network",
        network,
        at_index((4, 0), minus, "Gamma1"),
        "one index",
        "4, 0",
        "Gamma1",
    ),
    Mistake(
        "one entry: gaussian", gaussian, at_index((0, 2), larger, "V"), "one index", "0, 2", "V"
    ),
    Mistake("one row: linear", linear, at_index(3, shuffled()), "one row", r"\b3\b"),
    Mistake("last row left out: softmax", softmax, at_index(-1, zero), "one row", r"\b3\b"),
    Mistake(
        "one row: network", network, at_index(1, minus, "Gamma1"), "one row", r"\b1\b", "Gamma1"
    ),
    Mistake(
        "one column: linear", linear, at_index((slice(None), 1), shuffled()), "one column", r"\b1\b"
    ),
    Mistake(
        "one node left out: network",
        network,
        at_index((slice(None), 2), zero, "Gamma1"),
        "one column",
        r"\b2\b",
        "Gamma1",
    ),
    Mistake(
        "one column: gaussian",
        gaussian,
        at_index((slice(None), 0), shuffled(), "M"),
        "one column",
        r"\b0\b",
        "M",
    ),
    Mistake(
        "off-diagonals doubled: gaussian",
        gaussian,
        edited(lambda c, G, x: 2 * G - np.diag(np.diag(G)), "U"),
        "symmetric",
        "diagonal",
        "U",
    ),
    Mistake(
        "triangle not folded: gaussian",
        of(gaussian, lower=True),
        option(fold=False),
        "symmetric",
        "diagonal|triang|symmetric",
        "U",
    ),
    Mistake(
        "off-diagonals halved: gaussian",
        gaussian,
        edited(lambda c, G, x: (G + np.diag(np.diag(G))) / 2, "V"),
        "symmetric",
        "diagonal",
        "V",
    ),
    Mistake(
        "one block: linear",
        of(linear, form="dict", second="intercept"),
        N_times("intercept"),
        SSE,
        N,
        "intercept",
    ),
    Mistake("one block: network", network, times(2, "Gamma2"), "constant factor", TWO, "Gamma2"),
    Mistake("mean for sum: network", network, over_N("beta"), SSE, N, "beta"),
    Mistake("one block: gaussian", gaussian, times(-1, "U"), "constant factor", MINUS, "U"),
    Mistake(
        "no rule: network",
        network,
        edited(lambda c, G, x: shuffled()(G), "gamma"),
        "unexplained",
        block="gamma",
    ),
    Mistake("no rule: linear", linear, edited(lambda c, G, x: shuffled()(G)), "unexplained"),
]
