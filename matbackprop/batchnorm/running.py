"""Running statistics: explicit state, in either of two conventions that share one word."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal, NamedTuple, TypeAlias

from array_api_compat import array_namespace

from matbackprop._validation import check_count
from matbackprop.batchnorm.arrays import AnyArray, constant
from matbackprop.batchnorm.centring import CentredMoments

Convention: TypeAlias = Literal["torch", "course"]


class Rule(NamedTuple):
    """What a convention leaves open without a number: its customary momentum, and more."""

    momentum: float
    first_variance: float  # before any batch
    keeps_the_old: bool  # momentum multiplies the old value; else the batch's
    unbiased: bool  # the variance of a batch is divided by m − 1 before it enters


RULES: Mapping[Convention, Rule] = MappingProxyType(
    {
        "torch": Rule(momentum=0.1, first_variance=1.0, keeps_the_old=False, unbiased=True),
        "course": Rule(momentum=0.9, first_variance=0.0, keeps_the_old=True, unbiased=False),
    }
)
"""torch: (1 − m)·running + m·batch, unbiased. course: m·running + (1 − m)·batch, biased."""


@dataclass(frozen=True, slots=True, eq=False)
class Running:
    """Statistics kept from training, for the data a layer meets later.

    Parameters
    ----------
    mean, variance
        One entry a channel, shape (C,).
    batches
        How many batches have entered.

    Raises
    ------
    OptionError
        If `batches` is no integer >= 0.

    Examples
    --------
    >>> import numpy as np
    >>> Running(np.zeros(2), np.ones(2)).batches
    0
    """

    mean: AnyArray
    variance: AnyArray
    batches: int = 0

    def __post_init__(self) -> None:
        check_count(
            self.batches, call="Running(mean, variance, batches)", name="batches", at_least=0
        )


def updated(
    running: Running, batch: CentredMoments, m: int, convention: Convention, momentum: float | None
) -> Running:
    """Return the statistics after one more batch of m entries a channel.

    With momentum None every batch so far weighs the same: the cumulative average.

    Examples
    --------
    >>> import numpy as np
    >>> batch = CentredMoments(np.array([2.0]), np.array([0.0]), np.array([4.0]))
    >>> after = updated(Running(np.zeros(1), np.ones(1)), batch, 5, "torch", 0.1)
    >>> after.mean, after.variance, after.batches  # 0.9·1 + 0.1·4·5/4
    (array([0.2]), array([1.4]), 1)
    """
    xp = array_namespace(running.mean)
    rule, batches = RULES[convention], running.batches + 1
    if momentum is None:
        momentum = 1 / batches if not rule.keeps_the_old else 1 - 1 / batches
    share = 1 - momentum if rule.keeps_the_old else momentum  # of this batch
    variance = batch.variance * (m / (m - 1)) if rule.unbiased else batch.variance

    def mixed(old: AnyArray, new: AnyArray) -> AnyArray:
        # Constants: else each batch would hang on all the batches before it.
        old, new = constant(old), constant(new)
        wide = xp.astype(old, new.dtype, copy=False) * (1 - share) + new * share
        return xp.astype(wide, old.dtype, copy=False)

    return Running(mixed(running.mean, batch.mean), mixed(running.variance, variance), batches)
