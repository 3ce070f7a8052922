"""Every example in the R files and their README runs, and the files are plain base R."""

import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

R_REFERENCE = Path(__file__).parents[2] / "r_reference"
FILES = sorted(R_REFERENCE.glob("*.R"))
EXAMPLE = re.compile(r"^#' @examples\n((?:^#'.*\n)+)", flags=re.MULTILINE)


def examples() -> list[tuple[str, str]]:
    found = []
    for path in FILES:
        for match in EXAMPLE.finditer(path.read_text()):
            code = re.sub(r"^#' ?", "", match[1], flags=re.MULTILINE)
            after = path.read_text()[match.end() :]
            found.append((after.split(" <- ")[0], code))
    return found


@pytest.mark.r
@pytest.mark.parametrize(("function", "code"), examples(), ids=[name for name, _ in examples()])
def test_example_runs(function: str, code: str, run_r: Callable[..., Any]) -> None:
    done = run_r(code)
    assert done.returncode == 0, done.stderr


def test_every_front_function_has_an_example() -> None:
    wanted = {
        *("question_data", "posted_figures", "posted_printed"),
        *("question_loops", "question_matrix_forms", "question_kronecker"),
        *("network_loops", "network_gradient", "kronecker_gradient"),
        *("network_predict", "network_moments", "batch_norm_forward"),
        *("batch_norm_pullback", "batch_norm_jacobian"),
        *("vec", "unvec", "diagonal_selection"),
        *("activation_value", "activation_derivative", "to_json", "many"),
    }
    assert wanted == {name for name, _ in examples()}


@pytest.mark.r
def test_readme_runs(run_r: Callable[..., Any], r_reference: Path) -> None:
    blocks = re.findall(
        r"```r\n(.*?)```", (r_reference / "README.md").read_text("utf-8"), re.DOTALL
    )
    assert blocks
    code = "\n".join(blocks).replace("\nall.equal(", "\nstopifnot(all.equal(")
    code = re.sub(r"^(stopifnot\(.*)$", r"\1)", code, flags=re.MULTILINE)
    assert code.count("stopifnot") == 2
    done = run_r(f"setwd({str(r_reference.parent)!r})\n{code}")
    assert done.returncode == 0, done.stderr
    assert "4.264434" in done.stdout


def test_readme_names_every_file(r_reference: Path) -> None:
    readme = (r_reference / "README.md").read_text("utf-8")
    for path in FILES:
        assert f"`{path.name}`" in readme


def test_all_sources_every_file_but_the_generator(r_reference: Path) -> None:
    listed = set(re.findall(r'"(\w+\.R)"', (r_reference / "all.R").read_text()))
    assert listed == {path.name for path in FILES} - {"all.R", "generate.R"}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_files_are_plain_base_r(path: Path) -> None:
    text = path.read_text("ascii")  # other characters depend on the locale of the reader
    assert not re.search(r"\b(library|require|requireNamespace)\(|::", text)
    assert max(map(len, text.splitlines())) <= 90
    # Newer than R 4.0: the native pipe and the short lambda.
    assert not re.search(r"\|>|\\\(", re.sub(r"'[^'\n]*'|\"[^\"\n]*\"", "", text))


def test_the_specification_has_no_matrix_operation(r_reference: Path) -> None:
    text = re.sub(r"#.*", "", (r_reference / "loops.R").read_text())
    assert not re.search(
        r"%\S+%|crossprod|colSums|colMeans|rowSums|sweep|apply|\bsum\(|mean\(", text
    )


@pytest.mark.r
def test_sourcing_into_an_environment_leaves_the_rest_alone(
    run_r: Callable[..., Any], r_reference: Path
) -> None:
    done = run_r(
        f"""rm(list = ls())
        e <- new.env()
        source("{r_reference / "all.R"}", chdir = TRUE, local = e)
        stopifnot(identical(ls(), "e"), e$question_loops()$loss > 4)"""
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.r
def test_a_workspace_is_left_alone_and_cannot_interfere(run_r: Callable[..., Any]) -> None:
    done = run_r(
        """
        stopifnot(!any(c("fail", "is_matrix", "check_rows") %in% ls()))
        fail <- is_matrix <- sd <- function(...) "mine"
        stopifnot(all.equal(question_loops(), question_matrix_forms()))
        said <- tryCatch(network_moments("x", diag(2)), error = conditionMessage)
        stopifnot(grepl("network_moments", said), identical(fail(), "mine"))
        """
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.r
def test_forgetting_chdir_is_told(rscript: str, r_reference: Path, tmp_path: Path) -> None:
    code = f"source({str(r_reference / 'all.R')!r})"
    done = subprocess.run([rscript, "-e", code], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode != 0
    assert "chdir = TRUE" in done.stderr
