"""Right formulas at the wrong point: a′, ddof, eps, another quantity."""

import numpy as np

from tests.checking.zoo_losses import logistic, network
from tests.checking.zoo_mistakes import N_MINUS_1, Mistake, of
from tests.checking.zoo_plants import option

POINTS = [
    Mistake(
        "slope of 1: network",
        of(network),
        option(slope=lambda f: 1.0 + 0 * f["H"]),
        "activation derivative",
        "1",
    ),
    Mistake(
        "slope of 1: network, relu",
        of(network, activation="relu", ddof=1, eps=0.0, loss="sse"),
        option(slope=lambda f: 1.0 + 0 * f["H"]),
        "activation derivative",
        "1",
    ),
    Mistake(
        "slope at Z: network",
        of(network),
        option(slope=lambda f: 1 - np.tanh(f["Z"]) ** 2),
        "activation derivative",
        r"\bZ\b",
    ),
    Mistake(
        "slope at Z: network, relu",
        of(network, activation="relu", N=40),
        option(slope=lambda f: 1.0 * (f["Z"] > 0)),
        "activation derivative",
        r"\bZ\b",
    ),
    Mistake(
        "slope at Xhat: network",
        of(network),
        option(slope=lambda f: 1 - np.tanh(f["Xhat"]) ** 2),
        "activation derivative",
        "X̂|Xhat",
    ),
    Mistake(
        "slope at V: plain network",
        of(network, batch_norm=False),
        option(slope=lambda f: 1 - np.tanh(f["V"]) ** 2),
        "activation derivative",
        r"\bV\b",
        "Gamma1",
    ),
    Mistake(
        "slope of 1: plain network",
        of(network, batch_norm=False, q=2),
        option(slope=lambda f: 1.0 + 0 * f["H"]),
        "activation derivative",
        "1",
        "Gamma1",
    ),
    Mistake(
        "slope of 1: logistic, Brier",
        of(logistic, brier=True),
        option(slope=lambda at: 1.0),
        "activation derivative|missing weight",
        "slope",
    ),
    Mistake(
        "ddof of the variance term: network",
        of(network, N=12, ddof=1, eps=0.0),
        option(term_ddof=0),
        "ddof",
        N_MINUS_1 + "|ddof",
        "Gamma1",
    ),
    Mistake(
        "ddof 0 for 1: network", of(network, N=12, ddof=1), option(ddof=0, term_ddof=0), "ddof"
    ),
    Mistake("ddof 1 for 0: network", of(network, N=12), option(ddof=1, term_ddof=1), "ddof"),
    Mistake(
        "ddof of sigma: network",
        of(network, N=12, ddof=1, eps=0.0),
        option(gain=lambda f: f["gamma"] / f["sigma"] * np.sqrt(12 / 11)),
        "ddof|constant factor",
        "ddof",
        block="Gamma1",
    ),
    Mistake("eps left out: network", of(network, eps=0.1), option(eps=0.0), "eps", "eps"),
    Mistake(
        "Z for Xhat: network",
        of(network),
        option(hat="Z"),
        "wrong quantity",
        r"\bZ\b",
        "gamma",
    ),
    Mistake(
        "H for V: network", of(network), option(left="H"), "wrong quantity", r"\bH\b", "Gamma2"
    ),
    Mistake(
        "y for residuals: network",
        of(network),
        option(right="y"),
        "wrong quantity|wrong term|missing term",
        r"\by\b",
        "Gamma2",
    ),
]
