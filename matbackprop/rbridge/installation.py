"""Which R and which rpy2 are installed, and the command that makes them fit.

Nothing here starts R or imports rpy2, so it can be asked after either has failed.
"""

import importlib.metadata
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from matbackprop.errors import RUnavailableError

PINS: Final = Path(__file__).with_name("rpy2-for-r-before-4.5.txt")
_DISTRIBUTIONS: Final = ("rpy2", "rpy2-rinterface", "rpy2-robjects")
_FIRST_WITH_R_GETVAR: Final = (4, 5)
_OLDEST_R: Final = (4, 0)


@dataclass(frozen=True, slots=True)
class Installation:
    """What lies on this machine; None where there is nothing.

    Attributes
    ----------
    r_path, r_version, r_home
        The R on the path, its own words on its version, and the folder it calls home.
    r_home_variable
        The environment variable R_HOME, which rpy2 believes before it asks R.
    rpy2
        Installed versions of rpy2 and its parts by name.
    """

    r_path: str | None
    r_version: str | None
    r_home: str | None
    r_home_variable: str | None
    rpy2: Mapping[str, str]

    def __str__(self) -> str:
        """Say in one line what was found."""
        r = f"{self.r_path} ({self.r_version})" if self.r_path else "none"
        home = f", with R_HOME={self.r_home_variable}" if self.r_home_variable else ""
        rpy2 = ", ".join(f"{name} {version}" for name, version in self.rpy2.items()) or "none"
        return f"R found: {r}{home}. rpy2 found: {rpy2}."


def find_installation() -> Installation:
    """Look for R on the path and for rpy2 among the installed distributions."""
    variable = os.environ.get("R_HOME")
    path = shutil.which("R")
    if path is None and variable and (Path(variable) / "bin" / "R").is_file():
        path = str(Path(variable) / "bin" / "R")
    said = _ask(path, "--version") if path else ""
    version = re.search(r"R version \d[^\n]*?\)", said)
    return Installation(
        r_path=path,
        r_version=version.group() if version else None,
        r_home=_ask(path, "RHOME") or None if path else None,
        r_home_variable=variable,
        rpy2=_rpy2_versions(),
    )


def repair_command(found: Installation, /) -> str:
    """Return what to run, or do, so that rpy2 can start R.

    Examples
    --------
    >>> found = Installation("/usr/bin/R", "R version 4.2.2 (2022-10-31)", None, None, {})
    >>> "rpy2<3.6.7" in repair_command(found)
    True
    """
    if found.r_path is None:
        return _install_r()
    if found.r_home_variable and not _same_folder(found.r_home_variable, found.r_home):
        return "unset R_HOME"
    old = _numbers(found.r_version or "")[:2] < _FIRST_WITH_R_GETVAR
    # --force-reinstall: the right version may be there and yet built for another R.
    options = ["--force-reinstall", "--no-cache-dir"] if _satisfied(found, old) else []
    wanted = [f"'{pin}'" for pin in pins()] if old else ["--upgrade", *_DISTRIBUTIONS]
    return " ".join([sys.executable, "-m", "pip", "install", *options, *wanted])


def pins() -> tuple[str, ...]:
    """Return the requirements that keep rpy2 usable with R older than 4.5."""
    lines = PINS.read_text(encoding="utf-8").splitlines()
    return tuple(line for line in lines if line and not line.startswith("#"))


def unavailable(engine: str, cause: str, /) -> RUnavailableError:
    """Build the one error for an engine that cannot start: cause, what was found, the repair."""
    found = find_installation()
    other = (
        ' Meanwhile `engine="rscript"` needs no rpy2.' if engine == "rpy2" and found.r_path else ""
    )
    return RUnavailableError(
        f'`connect("{engine}")` could not start R: {cause.rstrip(".")}. {found} '
        f"To repair it: {repair_command(found)}.{other}"
    )


def refuse_old_r(engine: str, r_version: str, /) -> None:
    """Raise if R is older than the reference files are written for.

    Examples
    --------
    >>> refuse_old_r("rscript", "R version 4.2.2 (2022-10-31)")
    """
    if _numbers(r_version) < _OLDEST_R:
        raise RUnavailableError(
            f'`connect("{engine}")` needs R {".".join(map(str, _OLDEST_R))} or newer; found '
            f"{r_version or 'an R that does not say its version'}. "
            f"To have a newer one: {_install_r()}."
        )


def _ask(program: str, option: str) -> str:
    # R would complain on standard output about an R_HOME that is not its own.
    environment = {key: value for key, value in os.environ.items() if key != "R_HOME"}
    try:
        answer = subprocess.run(
            [program, option], capture_output=True, text=True, timeout=20, env=environment
        )
    except (OSError, subprocess.TimeoutExpired, UnicodeDecodeError):
        return ""
    return answer.stdout.strip()


def _rpy2_versions() -> dict[str, str]:
    versions = {}
    for name in _DISTRIBUTIONS:
        try:
            versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return versions


def _satisfied(found: Installation, old: bool) -> bool:
    if "rpy2" not in found.rpy2:
        return False
    if not old:
        return True
    limits = dict(pin.split("<") for pin in pins())
    return all(_numbers(v) < _numbers(limits[name]) for name, v in found.rpy2.items())


def _install_r() -> str:
    if sys.platform == "darwin":
        return "brew install r (or the installer from https://cran.r-project.org/bin/macosx/)"
    if shutil.which("apt-get"):
        sudo = "" if os.name == "posix" and os.geteuid() == 0 else "sudo "
        return f"{sudo}apt-get install r-base-core r-base-dev"
    return "install R (see https://cloud.r-project.org) and put R and Rscript on PATH"


def _numbers(text: str) -> tuple[int, ...]:
    match = re.search(r"\d+(\.\d+)*", text)
    return tuple(int(part) for part in match.group().split(".")) if match else ()


def _same_folder(first: str, second: str | None) -> bool:
    return second is not None and Path(first).resolve() == Path(second).resolve()
