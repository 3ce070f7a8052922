"""The course of an examination: measure, compare, look at a second point, explain."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np

from matbackprop._typing import Array
from matbackprop.checking.cause import Base
from matbackprop.checking.judging import Judged, judge, judge_directions
from matbackprop.checking.measuring import (
    Measured,
    along,
    measure_along,
    measure_complex_directions,
    measure_directions,
    measure_entries,
    random_directions,
)
from matbackprop.checking.nearby import point_nearby, shaken
from matbackprop.checking.network_faults import NetworkFaults
from matbackprop.checking.quantities import Knowledge
from matbackprop.checking.records import BlockCheck, Diagnosis, Finding
from matbackprop.checking.remarks import (
    noisy_gradient,
    noisy_loss,
    remark_on_kinks,
    remark_on_rest,
    unmoved,
)
from matbackprop.checking.searching import choose, explanations, findings
from matbackprop.checking.searching_directions import explain_directions
from matbackprop.checking.subject import Subject
from matbackprop.checking.view import RTOL, View
from matbackprop.errors import MatBackpropError

_SINGLE_RTOL = 1e-4
_UNSEEN = 5e-14
_COARSE = 10.0  # errors estimated in float32 are believed less


@dataclass(frozen=True, slots=True, eq=False)
class _Point:
    """The claimed and the measured derivative at one point."""

    theta: Array
    claimed: dict[str, Array]
    measured: Measured
    judged: dict[str, Judged] = field(default_factory=dict)

    @property
    def wrong(self) -> list[str]:
        return [name for name, judged in self.judged.items() if not judged.check.ok]

    @property
    def checks(self) -> tuple[BlockCheck, ...]:
        return tuple(judged.check for judged in self.judged.values())


def diagnose(
    subject: Subject,
    knowledge: Knowledge,
    rng: np.random.Generator,
    /,
    *,
    directions: bool,
    step: float,
) -> Diagnosis:
    """Return whether the claimed derivative is right, and what is wrong with it."""
    return _Examination(subject, knowledge, rng, directions, step).diagnosis()


class _Examination:
    """One examination; its parts in the order in which they happen."""

    def __init__(
        self,
        subject: Subject,
        knowledge: Knowledge,
        rng: np.random.Generator,
        directions: bool,
        step: float,
    ) -> None:
        self.subject, self.knowledge, self.rng, self.step = subject, knowledge, rng, step
        self.by_directions = directions
        self.f, self.claims, self.packing = subject.f, subject.claims, subject.packing
        theta = self.packing.theta
        self.loss = self.f.at_the_point(theta)
        self.noise_of_f = noisy_loss(self.f, theta, self.loss)
        self._claim(theta)

    def _claim(self, theta: Array) -> None:
        """Ask for the gradient: twice here, twice no further than rounding, elsewhere, here."""
        self.here = self.claims(theta)
        self.noise = {name: np.zeros_like(g) for name, g in self.here.items()}
        self.elsewhere: Array | None = None
        self.there: dict[str, Array] | None = None
        self.again = self.third = self.back = self.here
        eps = np.finfo(np.float32 if self.claims.single else np.float64).eps
        self.rtol = _SINGLE_RTOL if self.claims.single else RTOL
        if not self.claims.callable:
            # Its rounding cannot be seen by asking again: some is granted.
            self.noise = {
                name: np.full_like(g, _UNSEEN * np.abs(g).max(initial=0.0))
                for name, g in self.here.items()
            }
            return
        close = [shaken(theta, self.rng, eps=float(eps)) for _ in range(2)]
        self.again, self.third, *near = self.claims.of_many([theta, theta, *close])
        for one in near:
            for name, g in one.items():
                self.noise[name] = np.maximum(self.noise[name], np.abs(g - self.here[name]))
        for reach in (0.05, 0.005):
            there = point_nearby(self.packing, self.rng, reach=reach)
            try:
                value = self.f(there)
                if not np.isfinite(value).all():
                    continue
                self.there, self.back = self.claims.of_many([there, theta])
            except Exception:  # outside the domain of the user's function, whatever that says
                continue
            self.elsewhere = there
            return

    def diagnosis(self) -> Diagnosis:
        remarks: list[Finding] = [self.noise_of_f] if self.noise_of_f else []
        outside = False
        unsteady = noisy_gradient(
            (self.here, self.again, self.third), self.back, self.there, self.subject
        )
        here = self._measured_here()
        moved = self._slope_elsewhere(here.measured)
        found: list[Finding] = []
        shown = here
        if unsteady is not None:
            found.append(unsteady)
        elif self.noise_of_f is None:
            stuck = unmoved(self.here, self.there, here.wrong, moved, self.subject)
            if stuck is not None:
                found.append(stuck)
            elif here.wrong:
                found += self._explained(here)
            elif moved is not None and not moved.check.ok:
                assert self.elsewhere is not None
                assert self.there is not None
                shown = self._point(self.elsewhere, self.there)
                found += self._explained(shown)
        if self.noise_of_f is None:
            at_kinks, outside = remark_on_kinks(self.f, self.subject, here.checks, here.measured)
            remarks += at_kinks
        if not remarks:
            remarks += remark_on_rest(here.checks, here.judged)
        ok = not (found or self.noise_of_f or shown.wrong or outside)
        return Diagnosis(
            ok=ok,
            findings=(
                *(remarks if self.noise_of_f else ()),
                *found,
                *(() if self.noise_of_f else remarks),
            ),
            blocks=shown.checks,
            method=here.measured.method,
            evaluations=self.f.f.evaluations,
            loss=float(self.loss) if self.subject.scalar else float("nan"),
            title=self.subject.title,
        )

    def _measured_here(self) -> _Point:
        return self._point(self.packing.theta, self.here)

    def _point(self, theta: Array, claimed: dict[str, Array]) -> _Point:
        if self.by_directions:
            return self._along(theta, claimed)
        measured = measure_entries(self.f, theta, step=self.step, rng=self.rng)
        point = _Point(theta, claimed, measured)
        value, error = (self.subject.split(a) for a in (measured.value, measured.error))
        doubt = _COARSE if self.f.coarse else 1.0
        for name, g in claimed.items():
            judged = judge(
                name, g.shape, g, value[name], doubt * error[name], self.noise[name], self.rtol
            )
            if name in self.claims.transposed:  # whatever its numbers, it has the wrong shape
                judged = replace(
                    judged,
                    check=replace(
                        judged.check,
                        agrees=np.zeros(g.shape, dtype=bool),
                        judged=np.ones(g.shape, dtype=bool),
                    ),
                )
            point.judged[name] = judged
        return point

    def _along(self, theta: Array, claimed: dict[str, Array]) -> _Point:
        measured = measure_along(self.f, theta, self.packing.slices, self.rng)
        point = _Point(theta, claimed, measured)
        flat, noise = self.subject.flat(claimed), self.packing.vector(self.noise)
        for support in dict.fromkeys(measured.supports):
            k = [i for i, s in enumerate(measured.supports) if s == support]
            shape = self.packing.shapes.get(support, (self.packing.size,))
            assert measured.directions is not None
            point.judged[support] = judge_directions(
                support,
                shape,
                flat,
                measured.directions[k],
                measured.value[k],
                measured.error[k],
                noise,
                self.rtol,
            )
        for support in point.judged if self.claims.transposed else ():
            if support == "" or support in self.claims.transposed:
                judged = point.judged[support]
                check = judged.check
                wrong = np.zeros(check.agrees.shape, dtype=bool)
                point.judged[support] = replace(
                    judged, check=replace(check, agrees=wrong, judged=~wrong)
                )
        return point

    def _slope_elsewhere(self, measured: Measured) -> Judged | None:
        """Compare along one direction at the second point."""
        if self.elsewhere is None or self.there is None:
            return None
        if not self.subject.scalar:
            return self._product_elsewhere(self.elsewhere, self.there)
        rows, supports = random_directions(self.elsewhere, {}, 1, self.rng)
        exact = None
        if measured.analytic:
            exact = measure_complex_directions(self.f, self.elsewhere, rows, supports)
        try:
            found = exact or measure_directions(self.f, self.elsewhere, rows, supports)
        except MatBackpropError:
            return None
        noise = self.packing.vector(self.noise)
        return judge_directions(
            "",
            (self.packing.size,),
            self.subject.flat(self.there),
            rows,
            found.value,
            found.error,
            noise,
            self.rtol,
        )

    def _product_elsewhere(self, theta: Array, claimed: dict[str, Array]) -> Judged | None:
        """Compare the Jacobian times a direction at the second point."""
        v = self.rng.standard_normal(theta.size) * np.maximum(1.0, np.abs(theta))
        found = along(self.f, theta, v)
        if found is None:
            return None
        value, error = (np.asarray(a).ravel(order="F") for a in (found.value, found.error))
        product = self.subject.flat(claimed) @ v
        noise = np.abs(self.subject.flat(self.noise)) @ np.abs(v)
        terms = np.abs(self.subject.flat(claimed)) @ np.abs(v)
        return judge("", value.shape, product, value, error + 1e-8 * terms, noise, self.rtol)

    def _explained(self, point: _Point) -> list[Finding]:
        if self.by_directions:
            return explain_directions(
                self.subject,
                self.knowledge,
                point.theta,
                point.claimed,
                point.measured,
                self.packing.vector(self.noise),
                point.wrong,
            )
        views = self._views(point, point.wrong)
        found = {name: explanations(view) for name, view in views.items()}
        told = findings(choose(found, self._explained_elsewhere(point)), views)
        title = self.subject.title
        return [replace(f, sentence=f.sentence.replace("gradient", title)) for f in told]

    def _explained_elsewhere(self, point: _Point) -> Mapping[str, Any]:
        other, claimed = self.elsewhere, self.there
        if other is None or claimed is None or other is point.theta:
            return {}
        try:
            second = self._point(other, claimed)
            both = [name for name in point.wrong if name in second.wrong]
            views = self._views(second, both)
        except MatBackpropError:
            return {}
        return {name: explanations(view) for name, view in views.items()}

    def _views(self, point: _Point, names: Sequence[str]) -> dict[str, View]:
        quantities = self.knowledge.at(point.theta)
        truths = self.subject.split(point.measured.value)
        thetas = self.packing.blocks(point.theta) if self.subject.scalar else {}
        case = self.knowledge.case
        faults = NetworkFaults(case, point.theta) if case is not None else None
        views = {}
        for name in names:
            g = point.claimed[name]
            block = case.block_of(name) if case is not None else None
            bases: Callable[[], Iterable[Base]] = tuple
            if faults is not None and block is not None and self.subject.scalar:
                bases = partial(faults.bases, block, g.shape)
            views[name] = View(
                name,
                truths[name],
                g,
                point.judged[name].allowance,
                thetas.get(name),
                quantities,
                bases,
                {other: t for other, t in truths.items() if other != name},
                name in self.claims.transposed,
                self.packing.first,
            )
        return views
