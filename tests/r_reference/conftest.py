"""Run R and read its answers back."""

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import pytest

R_REFERENCE = Path(__file__).parents[2] / "r_reference"


def decode(node: Any) -> Any:
    """Arrays for numbers, lists for text and unnamed lists, dicts for named lists."""
    if node is None:
        return None
    values = node["values"]
    match node["type"]:
        case "list":
            decoded = [decode(value) for value in values]
            return dict(zip(node["names"], decoded, strict=True)) if "names" in node else decoded
        case "character":
            return values
        case "double" | "integer":
            numbers = [float(v.replace("NA", "nan")) if isinstance(v, str) else v for v in values]
            array = np.array(numbers, dtype=np.float64)
            return array.reshape(node["dim"], order="F") if "dim" in node else array
        case "logical":
            return np.array(values)
        case kind:
            raise AssertionError(f"no decoder for an R {kind}")


@pytest.fixture(scope="session")
def r_reference() -> Path:
    return R_REFERENCE


@pytest.fixture(scope="session")
def rscript(unavailable: Callable[[str], NoReturn]) -> str:
    return shutil.which("Rscript") or unavailable("Rscript is not installed")


@pytest.fixture(scope="session")
def run_r(
    rscript: str, tmp_path_factory: pytest.TempPathFactory
) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run R code in a fresh process, after sourcing all of r_reference (or of a copy)."""

    def run(
        code: str, *, folder: Path = R_REFERENCE, env: dict[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        script = tmp_path_factory.mktemp("r") / "script.R"
        source = f"source({json.dumps(str(folder / 'all.R'))}, chdir = TRUE)\n"
        # A warning here is a defect, as it is in pytest.
        script.write_text("options(warn = 2)\n" + source + code, encoding="utf-8")
        return subprocess.run(
            [rscript, "--no-init-file", str(script)],
            capture_output=True,
            encoding="utf-8",
            timeout=120,
            check=False,
            env=os.environ | (env or {}),
        )

    return run


@pytest.fixture(scope="session")
def r_json(
    run_r: Callable[..., subprocess.CompletedProcess[str]],
) -> Callable[..., Any]:
    """Value of an R expression, as the JSON that `to_json` makes of it, parsed."""

    def evaluate(expression: str, *, setup: str = "", **options: Any) -> Any:
        code = f"{setup}\nvalue <- {expression}\ncat(to_json(value))"
        done = run_r(code, **options)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return evaluate


@pytest.fixture(scope="session")
def r_value(r_json: Callable[..., Any]) -> Callable[..., Any]:
    """Value of an R expression, decoded to NumPy."""
    return lambda expression, **options: decode(r_json(expression, **options))


@pytest.fixture(scope="session")
def num_deriv(
    run_r: Callable[..., subprocess.CompletedProcess[str]], unavailable: Callable[[str], NoReturn]
) -> None:
    """The R package that takes derivatives numerically."""
    if run_r("stopifnot(requireNamespace('numDeriv', quietly = TRUE))").returncode != 0:
        unavailable("R's numDeriv is not installed")
