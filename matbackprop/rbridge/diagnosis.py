"""`diagnose`: everything that decides whether R can be used, in one record."""

import platform
import sys
from dataclasses import asdict, dataclass
from typing import Any

from matbackprop.errors import MatBackpropError
from matbackprop.rbridge.connection import ENGINES, EngineName, connect
from matbackprop.rbridge.installation import Installation, find_installation, repair_command
from matbackprop.rbridge.reference import reference_folder


@dataclass(frozen=True, slots=True)
class EngineStatus:
    """Whether an engine works: its detail if it does, the reason if it does not."""

    name: str
    works: bool
    detail: str


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What `matbackprop r-info` prints.

    Attributes
    ----------
    python
        Version and path of this Python.
    installation
        The R and the rpy2 that were found.
    engines
        One status for each engine, in the order in which "auto" tries them.
    reference
        The reference folder, or why there is none.
    repair
        What to run so that rpy2 works; None when it does.
    """

    python: str
    installation: Installation
    engines: tuple[EngineStatus, ...]
    reference: str
    repair: str | None

    @property
    def ok(self) -> bool:
        """Whether a live R can be used."""
        return any(status.works for status in self.engines if status.name != "recorded")

    def to_dict(self) -> dict[str, Any]:
        """Return the same as plain data, ready for JSON."""
        return {**asdict(self), "engines": [asdict(status) for status in self.engines]}

    def __str__(self) -> str:
        """One fact a line."""
        found = self.installation
        rpy2 = ", ".join(f"{name} {version}" for name, version in found.rpy2.items())
        facts = [
            ("Python", self.python),
            ("R", f"{found.r_path}: {found.r_version}" if found.r_path else "none on PATH"),
            ("R home", found.r_home or "unknown"),
            ("R_HOME variable", found.r_home_variable or "not set"),
            ("rpy2", rpy2 or "not installed"),
            ("reference", self.reference),
        ]
        for status in self.engines:
            verdict = "works" if status.works else "does not work"
            facts.append((f"engine {status.name}", f"{verdict}: {status.detail}"))
        facts.append(("repair", self.repair or "nothing to repair"))
        return "\n".join(f"{name:<16} {fact}" for name, fact in facts)


def diagnose() -> Diagnosis:
    """Try every engine and tell what was found; never raises for a faulty installation.

    Where rpy2 works this starts R in the present process.

    Examples
    --------
    >>> [status.name for status in diagnose().engines]
    ['rpy2', 'rscript', 'recorded']
    """
    found = find_installation()
    engines = tuple(_status(name) for name in ENGINES)
    try:
        reference = str(reference_folder())
    except MatBackpropError as error:
        reference = f"none: {error}"
    return Diagnosis(
        python=f"{platform.python_version()} ({sys.executable})",
        installation=found,
        engines=engines,
        reference=reference,
        repair=None if engines[0].works else repair_command(found),
    )


def _status(name: EngineName) -> EngineStatus:
    try:
        engine = connect(name).engine
    except MatBackpropError as error:
        return EngineStatus(name, works=False, detail=str(error))
    return EngineStatus(name, works=True, detail=f"{engine.r_version}, {engine.detail}")
