"""What a second call shows: constants, stale caches, noise."""

from tests.checking.zoo_losses import gaussian, linear, logistic, network
from tests.checking.zoo_mistakes import STALE, Mistake
from tests.checking.zoo_plants import (
    constant,
    dropout,
    first_kept,
    noisy,
    one_call_late,
    stale,
    unspoilt,
)

CONSTANTS = [
    Mistake(f"{name}: {make.__name__}", make, plant, kinds, hidden=hidden)
    for make in (linear, logistic, network, gaussian)
    for name, plant, kinds, hidden in [
        ("constant", constant, STALE, False),
        ("stale", stale, STALE, False),
        ("one call late", one_call_late, "stale gradient", False),
    ]
] + [
    Mistake("first kept: linear", linear, first_kept, STALE, hidden=True),
    Mistake("first kept: network", network, first_kept, STALE, hidden=True),
    Mistake("first kept: gaussian", gaussian, first_kept, STALE, hidden=True),
]

NOISE = [
    Mistake("noisy loss: linear", linear, unspoilt, "noise", loss_noise=1e-2),
    Mistake("noisy loss: logistic", logistic, unspoilt, "noise", loss_noise=1e-3),
    Mistake("noisy loss: network", network, unspoilt, "noise", loss_noise=0.1),
    Mistake("noisy gradient: linear", linear, noisy(0.05), "noise"),
    Mistake("noisy gradient: gaussian", gaussian, noisy(0.3), "noise"),
    Mistake("dropout: logistic", logistic, dropout(0.3), "noise"),
    Mistake("dropout: network", network, dropout(0.5), "noise"),
]
