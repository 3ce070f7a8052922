"""What a row of the zoo says, and the words and changes that many rows share."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from tests.checking.zoo_losses import Case
from tests.checking.zoo_plants import Plant, edited


@dataclass(frozen=True)
class Mistake:
    """One planted mistake.

    `kinds` are the names that are right, with "|" between; `words` a pattern that the finding's
    text must contain; `block` the parameter, "" where any will do; `given` the names that the
    checker is told of what the case knows, None for all. `then` are the names of a second mistake
    (the two may come in any order). `loss_noise` makes the loss itself random. `hidden` mistakes
    show only at another point, or on a second call.
    """

    name: str
    case: Callable[[int], Case]
    plant: Plant
    kinds: str
    words: str = ""
    block: str = ""
    given: tuple[str, ...] | None = None
    then: str = ""
    loss_noise: float = 0.0
    hidden: bool = False


def of(make: Callable, /, **options) -> Callable[[int], Case]:
    return partial(make, **options)


ONES = np.ones(40)
TWO = r"\b2\b|½|1/2|0\.5|half|twice|double"
MINUS = r"−1|-1|sign|minus|negat"
N = r"\bN\b|rows|observations"
N_MINUS_1 = r"N ?[-−] ?1"
SSE = "sse for mse|constant factor"
STALE = "stale gradient|constant gradient"


def minus(part):
    return -part


def larger(part):
    return 1.5 * part + 0.4


def zero(part):
    return 0 * part


def plus_own(weight):
    """A penalty's gradient added that the loss does not have."""
    return edited(lambda c, G, x: G + weight * x)
