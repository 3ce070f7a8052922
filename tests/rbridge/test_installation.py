"""The command that repairs an installation, case by case."""

import re

import pytest

from matbackprop.rbridge import installation
from matbackprop.rbridge.installation import Installation, find_installation, pins, repair_command

R42 = "R version 4.2.2 Patched (2022-11-10 r83330)"
R46 = "R version 4.6.0 (2026-04-24)"
OLD = {"rpy2": "3.6.6", "rpy2-rinterface": "3.6.5", "rpy2-robjects": "3.6.5"}
NEW = {"rpy2": "3.6.9", "rpy2-rinterface": "3.6.8", "rpy2-robjects": "3.6.7"}
PINNED = "'rpy2<3.6.7' 'rpy2-rinterface<3.6.6' 'rpy2-robjects<3.6.6'"


@pytest.mark.parametrize(
    ("r_version", "rpy2", "wanted"),
    [
        pytest.param(R42, {}, f"pip install {PINNED}", id="old R, no rpy2"),
        pytest.param(R42, NEW, f"pip install {PINNED}", id="old R, new rpy2"),
        pytest.param(R42, OLD | {"rpy2-rinterface": "3.6.6"}, f"install {PINNED}", id="one new"),
        pytest.param(
            R42, OLD, f"--force-reinstall --no-cache-dir {PINNED}", id="right versions, built wrong"
        ),
        pytest.param(R46, {}, "install --upgrade rpy2 rpy2-rinterface", id="new R, no rpy2"),
        pytest.param(R46, NEW, "--no-cache-dir --upgrade rpy2", id="new R, new rpy2"),
    ],
)
def test_pip_command(r_version, rpy2, wanted):
    found = Installation("/usr/bin/R", r_version, "/usr/lib/R", None, rpy2)
    assert repair_command(found).endswith(wanted) or f"{wanted} " in repair_command(found)


def test_a_wrong_r_home_is_unset_first():
    found = Installation("/usr/bin/R", R42, "/usr/lib/R", "/elsewhere", OLD)
    assert repair_command(found) == "unset R_HOME"


@pytest.mark.parametrize(
    ("platform", "tool", "wanted"),
    [
        ("darwin", None, "brew install r"),
        ("linux", "/usr/bin/apt-get", "apt-get install r-base-core r-base-dev"),
        ("linux", None, "install R (see https://cloud.r-project.org) and put R and Rscript"),
    ],
)
def test_without_r(monkeypatch, platform, tool, wanted):
    monkeypatch.setattr(installation.sys, "platform", platform)
    monkeypatch.setattr(installation.shutil, "which", lambda name: tool)
    assert wanted in repair_command(Installation(None, None, None, None, {}))


def test_the_pins_are_a_constraints_file():
    assert pins() == ("rpy2<3.6.7", "rpy2-rinterface<3.6.6", "rpy2-robjects<3.6.6")


@pytest.mark.r
def test_what_is_found_here(rscript):
    found = find_installation()
    assert re.fullmatch(r"R version \d+\.\d+\.\d+.*\)", found.r_version or "")
    assert found.r_version == rscript.engine.r_version
    assert str(found).startswith(f"R found: {found.r_path} ({found.r_version})")
