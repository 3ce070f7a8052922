"""The recorded results are what the generator writes, and nothing else."""

import json
import platform
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytestmark = pytest.mark.r

NAMES = (
    "question_data",
    "posted_figures",
    "posted_printed",
    "question_loops",
    "question_matrix_forms",
    "question_kronecker",
)


@pytest.fixture(scope="module")
def regenerated(rscript: str, r_reference: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Run the generator from a foreign working directory and a path with a space."""
    base = tmp_path_factory.mktemp("generated")
    copy = shutil.copytree(r_reference, base / "r reference")
    subprocess.run(
        [rscript, str(copy / "generate.R"), "written here"],
        cwd=base,
        check=True,
        capture_output=True,
        timeout=120,
    )
    return base / "written here"


def numbers_close(recorded: Any, fresh: Any) -> None:
    """Same structure and text; numbers of one vector equal to 1e-13 of the largest."""
    assert type(recorded) is type(fresh) or {type(recorded), type(fresh)} <= {int, float}
    match recorded:
        case dict():
            assert recorded.keys() == fresh.keys()
            for key in recorded:
                numbers_close(recorded[key], fresh[key])
        case [int() | float(), *_]:
            scale = np.abs(recorded).max()
            np.testing.assert_allclose(fresh, recorded, rtol=0, atol=1e-13 * scale)
        case list():
            assert len(recorded) == len(fresh)
            for a, b in zip(recorded, fresh, strict=True):
                numbers_close(a, b)
        case _:
            assert recorded == fresh


@pytest.mark.parametrize("name", NAMES)
def test_regenerating_changes_nothing(name: str, r_reference: Path, regenerated: Path) -> None:
    old = (r_reference / "recorded" / f"{name}.json").read_bytes()
    new = (regenerated / f"{name}.json").read_bytes()
    recorded, fresh = json.loads(old), json.loads(new)
    # Another R, or a processor with another long double, may round the last digit anew.
    if recorded["r_version"] == fresh["r_version"] and platform.machine() == "x86_64":
        assert old == new
    numbers_close(recorded["value"], fresh["value"])


@pytest.mark.parametrize("name", NAMES)
def test_a_record_says_where_it_comes_from(name: str, r_reference: Path) -> None:
    record = json.loads((r_reference / "recorded" / f"{name}.json").read_text("ascii"))
    assert list(record) == ["function", "r_version", "generator", "value"]
    assert record["function"] == name
    assert record["r_version"].startswith("R version ")
    assert record["generator"] == "r_reference/generate.R"


def test_no_record_is_left_over(r_reference: Path, regenerated: Path) -> None:
    for folder in (r_reference / "recorded", regenerated):
        assert sorted(path.name for path in folder.iterdir()) == sorted(
            f"{name}.json" for name in NAMES
        )


def test_numbers_close_sees_a_change_in_the_13th_digit() -> None:
    with pytest.raises(AssertionError):
        numbers_close({"values": [1.0, 2.0]}, {"values": [1.0, 2.0 + 1e-12]})


def test_records_hold_the_values_of_the_functions(
    r_reference: Path, r_json: Callable[..., Any]
) -> None:
    for name in NAMES:
        record = json.loads((r_reference / "recorded" / f"{name}.json").read_text("ascii"))
        numbers_close(record["value"], r_json(f"{name}()"))
