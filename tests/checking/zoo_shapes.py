"""Entries in the wrong place: transposed, row by row, exchanged."""

from tests.checking.zoo_losses import gaussian, linear, logistic, network, softmax
from tests.checking.zoo_mistakes import Mistake, of
from tests.checking.zoo_plants import (
    blocks_exchanged,
    column_major,
    exchanged,
    row_major,
    transposed,
)

SHAPES = [
    Mistake("transposed: linear", of(linear, p=4, q=4), transposed(), "transposed"),
    Mistake("transposed: softmax", of(softmax), transposed(), "transposed"),
    Mistake(
        "transposed: network",
        of(network, p1=4, p2=4),
        transposed("Gamma1"),
        "transposed",
        block="Gamma1",
    ),
    Mistake(
        "transposed: gaussian", of(gaussian, n=3, q=3), transposed("M"), "transposed", block="M"
    ),
    Mistake("row-major: linear, matrix", of(linear), row_major(), "row-major order"),
    Mistake("row-major: linear, vector", of(linear, form="vector"), row_major(), "row-major order"),
    Mistake("column-major: linear, matrix", of(linear), column_major(), "row-major order"),
    Mistake(
        "row-major: softmax, vector",
        of(softmax, p=5, K=3, form="vector"),
        row_major(),
        "row-major order",
    ),
    Mistake(
        "row-major: network, vector",
        of(network, p1=6, form="vector"),
        row_major("Gamma1"),
        "row-major order",
    ),
    Mistake("row-major: gaussian", of(gaussian), row_major("M"), "row-major order", block="M"),
    Mistake("columns exchanged: linear", of(linear), exchanged(0, 2), "exchanged", "column"),
    Mistake("rows exchanged: linear", of(linear), exchanged(1, 3, axis=0), "exchanged", "row"),
    Mistake("entries exchanged: logistic", of(logistic), exchanged(2, 4), "exchanged"),
    Mistake("classes exchanged: softmax", of(softmax), exchanged(1, 2), "exchanged", "column"),
    Mistake(
        "nodes exchanged: network",
        of(network),
        exchanged(0, 3, "Gamma1"),
        "exchanged",
        "column",
        "Gamma1",
    ),
    Mistake(
        "columns exchanged: gaussian",
        of(gaussian),
        exchanged(0, 1, "M"),
        "exchanged",
        "column",
        "M",
    ),
    Mistake(
        "blocks exchanged: linear",
        of(linear, form="dict", second="C"),
        blocks_exchanged("B", "C"),
        "exchanged",
        block="B, C",
    ),
    Mistake(
        "gamma and beta exchanged: network",
        of(network),
        blocks_exchanged("gamma", "beta"),
        "exchanged",
        block="gamma, beta",
    ),
    Mistake(
        "gamma and beta exchanged: parameters",
        of(network, form="parameters"),
        blocks_exchanged("gamma", "beta"),
        "exchanged",
        block="gamma, beta",
    ),
    Mistake(
        "U and V exchanged: gaussian",
        of(gaussian, n=3, q=3),
        blocks_exchanged("U", "V"),
        "exchanged",
        block="U, V",
    ),
    Mistake(
        "outputs exchanged: tuple",
        of(linear, form="tuple", second="C"),
        blocks_exchanged("B", "C"),
        "exchanged",
    ),
]
