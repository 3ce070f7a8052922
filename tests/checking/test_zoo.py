"""Planted mistakes must be found and named; correct gradients must pass.

The table is in `zoo_table`. The checker is seen from outside only: what it is given, what it says.
"""

import re
from functools import cache
from itertools import permutations
from operator import contains

import numpy as np
import pytest

from matbackprop.checking import check_gradient
from matbackprop.differences import central_difference
from tests.checking.zoo_losses import Case
from tests.checking.zoo_mistakes import Mistake
from tests.checking.zoo_plants import elsewhere
from tests.checking.zoo_table import CORRECT, ZOO

SEEDS = (0, 1, 2)
ids = [mistake.name for mistake in ZOO]


@cache
def diagnose(mistake: Mistake, seed: int):
    case = mistake.case(seed)
    loss, rng = case.outside(case.loss), np.random.default_rng([6, seed])
    if mistake.loss_noise:
        exact = loss

        def loss(point):
            return exact(point) * (1 + mistake.loss_noise * rng.standard_normal())

    return check_gradient(
        loss,
        case.outside(mistake.plant(case, case.gradient)),
        case.at,
        known=case.told(mistake.given),
        network=case.network,
        rng=np.random.default_rng(seed),
    )


def complaint(mistake: Mistake, diagnosis) -> str:
    """What is wrong with the answer; "" if nothing is."""
    found = [finding.kind for finding in diagnosis.findings]
    if not found:
        return f"nothing found, ok={diagnosis.ok}"
    if diagnosis.ok and not mistake.loss_noise:
        return f"called right, though {found}"
    wanted = [names.split("|") for names in (mistake.kinds, mistake.then) if names]
    orders = permutations(wanted) if len(found) >= len(wanted) else []
    if not any(all(map(contains, order, found)) for order in orders):
        return f"{found} for {wanted}"
    first = diagnosis.findings[0]
    text = " ".join([first.sentence, first.evidence, first.remedy])
    if not re.search(mistake.words, text, re.IGNORECASE):
        return f"no {mistake.words!r} in {text!r}"
    if mistake.block and set(mistake.block.split(", ")) != set(first.block.split(", ")):
        return f"block {first.block!r} for {mistake.block!r}"
    return ""


@pytest.mark.parametrize("mistake", ZOO, ids=ids)
def test_mistake_is_named_first(mistake):
    diagnosis = diagnose(mistake, 0)
    assert not complaint(mistake, diagnosis), str(diagnosis)


@pytest.mark.slow
def test_at_least_95_percent_are_named_right():
    wrong = [
        f"{mistake.name} (seed {seed}): {answer}"
        for mistake in ZOO
        for seed in SEEDS
        if (answer := complaint(mistake, diagnose(mistake, seed)))
    ]
    assert len(wrong) <= 0.05 * len(ZOO) * len(SEEDS), "\n".join(wrong)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("make", [make for _, make in CORRECT], ids=[name for name, _ in CORRECT])
def test_correct_gradient_passes(make, seed):
    case = make(seed)
    diagnosis = check_gradient(
        case.outside(case.loss),
        case.outside(case.gradient),
        case.at,
        known=case.told(),
        network=case.network,
        rng=np.random.default_rng(seed),
    )
    assert diagnosis.ok, str(diagnosis)


def stacked(case: Case, blocks) -> np.ndarray:
    return np.concatenate([np.ravel(blocks[name], order="F") for name in case.blocks])


@pytest.mark.parametrize("make", [make for _, make in CORRECT], ids=[name for name, _ in CORRECT])
def test_zoo_itself_correct_gradients_are_correct(make):
    case = make(0)
    parts = {name: np.size(block) for name, block in case.blocks.items()}

    def loss(vector):
        pieces = np.split(vector, np.cumsum(list(parts.values()))[:-1])
        return case.loss(
            {
                name: piece.reshape(case.blocks[name].shape, order="F")
                for name, piece in zip(parts, pieces, strict=True)
            }
        )

    numeric = central_difference(loss, stacked(case, case.blocks)).value
    analytic = stacked(case, case.gradient(case.blocks))
    np.testing.assert_allclose(analytic, numeric, rtol=0, atol=1e-9 * abs(numeric).max())


@pytest.mark.parametrize("mistake", ZOO, ids=ids)
def test_zoo_itself_each_mistake_changes_the_gradient(mistake):
    for seed in SEEDS:
        case = mistake.case(seed)
        wrong = mistake.plant(case, case.gradient)
        points = [case.blocks] + ([elsewhere(case, 0.1)] if mistake.hidden else [])
        gap = max(
            abs(stacked(case, wrong(at)) - stacked(case, case.gradient(at))).max()
            / abs(stacked(case, case.gradient(at))).max()
            for at in points
        )
        assert gap > 1e-4 or mistake.loss_noise, mistake.name


def test_zoo_is_large_enough():
    assert len(ZOO) >= 60
    assert len(set(ids)) == len(ids)
