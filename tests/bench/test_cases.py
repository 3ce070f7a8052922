"""The cases come with the package, whole."""

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from matbackprop.bench.cases import CASE_FILE, read_cases


def test_every_case_is_read():
    file = json.loads(CASE_FILE.read_text(encoding="utf-8"))
    cases = read_cases()
    assert [case.id for case in cases] == [entry["id"] for entry in file["cases"]]
    assert len({case.id for case in cases}) == 60
    for case, entry in zip(cases, file["cases"], strict=True):
        assert {name: list(shape) for name, shape in case.shapes.items()} == entry["vars"]
        assert (case.expression, case.ideal) == (entry["expression"], entry["ideal"])
        assert dict(case.sizes) == file["dims"]


def test_symmetry_is_an_assumption():
    (case,) = (case for case in read_cases() if case.id == "sym_quad")
    assert case.kind == "gradient"
    assert case.assume == {"S": ("symmetric",)}
    assert case.variable().flags == ("symmetric",)
    assert case.variable().domain == "spd"


def test_a_file_may_state_assumptions(tmp_path):
    entry = {
        **{"id": "one", "category": "own", "kind": "gradient_symmetric", "note": ""},
        **{"expression": "logdet(S)", "wrt": "S", "vars": {"S": ["p", "p"]}, "domains": {}},
        **{"assume": {"S": ["spd"]}, "numpy": "lambda S: 0", "ideal": None},
    }
    path = tmp_path / "cases.json"
    path.write_text(json.dumps({"dims": {"p": 3}, "cases": [entry]}), encoding="utf-8")
    (case,) = read_cases(path)
    assert case.assume == {"S": ("spd",)}
    assert case.source().variables()["S"].flags == ("spd", "symmetric")


def test_a_case_does_not_change():
    case = read_cases()[0]
    with pytest.raises(AttributeError):
        case.wrt = "A"
    with pytest.raises(TypeError):
        case.shapes["X"] = ()


@pytest.mark.slow
def test_a_wheel_has_them(tmp_path, unavailable):
    root = Path(__file__).parents[2]
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    done = subprocess.run([*build, "-w", str(tmp_path), str(root)], capture_output=True, text=True)
    if "hatchling" in done.stderr:
        unavailable("hatchling is not installed")
    assert done.returncode == 0, done.stderr
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        assert archive.read("matbackprop/bench/matrix_calculus.json") == CASE_FILE.read_bytes()
