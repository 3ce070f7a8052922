"""Terms left out or invented; the mean and the variance term of batch norm."""

from functools import partial

from tests.checking.zoo_losses import gaussian, linear, logistic, network, softmax
from tests.checking.zoo_mistakes import ONES, Mistake, of, plus_own
from tests.checking.zoo_plants import option

TERMS = [
    Mistake("ridge left out: linear", of(linear, ridge=0.2), option(ridge=0.0), "missing term"),
    Mistake("ridge halved: linear", of(linear, ridge=0.2), option(ridge=0.1), "missing term"),
    Mistake("ridge left out: softmax", of(softmax, ridge=0.1), option(ridge=0.0), "missing term"),
    Mistake(
        "weight decay left out: network",
        of(network, decay=0.1),
        option(decay=0.0),
        "missing term",
        block="Gamma1",
    ),
    Mistake("ridge invented: linear", of(linear), plus_own(0.3), "extra term"),
    Mistake("ridge invented: softmax", of(softmax), plus_own(0.1), "extra term"),
    Mistake(
        "lasso left out: logistic",
        of(logistic, lasso=0.1),
        option(lasso=0.0),
        "missing term",
        "sign",
    ),
    Mistake("Xy left out: logistic", of(logistic), option(y=0.0), "missing term|extra term", "Xy"),
    Mistake(
        "centring left out: linear",
        of(linear, centred=True),
        option(xbar=0.0),
        "missing term|extra term|mean term",
        "xbar",
    ),
    Mistake(
        "log-determinant left out: gaussian",
        of(gaussian),
        option(logdet=0.0),
        "missing term",
        "inverse",
    ),
    Mistake(
        "log-determinant of U left out: gaussian",
        of(gaussian),
        option(q_U=0),
        "missing term",
        "U_inverse",
        "U",
    ),
    Mistake(
        "n for q: gaussian",
        of(gaussian, n=5, q=2),
        option(q_U=5),
        "extra term|missing term|wrong term",
        "U_inverse",
        "U",
    ),
    Mistake(
        "intercept penalised: logistic",
        of(logistic, ridge=0.2),
        option(free=False),
        "one index|extra term",
    ),
    Mistake(
        "weights left out: linear",
        of(linear, weighted=True),
        option(w=ONES),
        "missing weight",
        r"\bw\b",
    ),
    Mistake(
        "weights twice: linear",
        of(linear, weighted=True),
        lambda c, g: partial(c.gradient, w=c.known["w"] ** 2),
        "extra weight",
        r"\bw\b",
    ),
    Mistake(
        "mean term left out: network", of(network), option(mean=0.0), "mean term", block="Gamma1"
    ),
    Mistake(
        "mean term left out: network, relu",
        of(network, activation="relu", ddof=1, eps=0.0, loss="sse"),
        option(mean=0.0),
        "mean term",
        block="Gamma1",
    ),
    Mistake(
        "variance term left out: network",
        of(network),
        option(variance=0.0),
        "variance term",
        block="Gamma1",
    ),
    Mistake(
        "variance term left out: network, q = 3",
        of(network, q=3, activation="gelu", ddof=1),
        option(variance=0.0),
        "variance term",
        block="Gamma1",
    ),
    Mistake(
        "variance term twice: network",
        of(network),
        option(variance=2.0),
        "variance term",
        block="Gamma1",
    ),
    Mistake(
        "moments held fixed: network",
        of(network),
        option(mean=0.0, variance=0.0),
        "fixed moments",
        block="Gamma1",
    ),
    Mistake(
        "moments held fixed: parameters",
        of(network, form="parameters", activation="silu", ddof=1, eps=0.0),
        option(mean=0.0, variance=0.0),
        "fixed moments",
        block="Gamma1",
    ),
]
