"""`matbackprop check` as people use it: in a process of its own."""

import json
import os
import shutil
import subprocess
import sys

import pandas as pd
import pytest

R_CODE = r"""
loss <- function(b, X, y) { warning("beware"); sum((y - X %*% b)^2) }
mse <- function(b, X, y) mean((y - X %*% b)^2)
right <- function(b, X, y) -2 * crossprod(X, y - X %*% b)
half <- function(b, X, y) right(b, X, y) / 2
f <- function(x) sum(x^3)
g <- function(x) 3 * x^2
"""
PYTHON_CODE = """
def loss(b, X, y): return ((y - X @ b) ** 2).sum()
def mse(b, X, y): return ((y - X @ b) ** 2).mean()
def right(b, X, y): return -2 * X.T @ (y - X @ b)
def half(b, X, y): return right(b, X, y) / 2
def f(x): return (x**3).sum()
def g(x): return 3 * x**2
def fails(b, X, y): return b @ X
"""
AT = {"b": [0.5, 1], "X": [[1, 2], [3, 4], [5, 7]], "y": [1, 0, 2]}


@pytest.fixture
def run(tmp_path):
    (tmp_path / "user.R").write_text(R_CODE)
    (tmp_path / "user.py").write_text(PYTHON_CODE)
    (tmp_path / "at.json").write_text(json.dumps(AT))
    (tmp_path / "at.csv").write_text("x\n0.5\n-1\n2\n")

    def call(*arguments):
        return subprocess.run(
            [sys.executable, "-m", "matbackprop", *arguments],
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=120,
            cwd=tmp_path,
            env=os.environ | {"PYTHONIOENCODING": "utf-8"},
        )

    return call


def check(file, loss, gradient, at="at.json"):
    return ("check", file, "--loss", loss, "--gradient", gradient, "--at", at)


@pytest.fixture(params=["user.py", pytest.param("user.R", marks=pytest.mark.r)])
def file(request, unavailable):
    if request.param == "user.R" and shutil.which("Rscript") is None:
        unavailable("Rscript is not installed")
    return request.param


def test_a_right_gradient_is_status_zero(run, file):
    done = run(*check(file, "loss", "right"), "--wrt", "b")
    assert done.returncode == 0, done.stderr
    assert f"right() against loss() of {file}: RIGHT" in done.stdout


def test_a_wrong_gradient_is_status_one_and_explained(run, file):
    done = run(*check(file, "loss", "half"), "--wrt", "b")
    assert done.returncode == 1, done.stderr
    assert "WRONG" in done.stdout
    assert "½ times" in done.stdout


def test_a_vector_in_csv(run, file):
    done = run(*check(file, "f", "g", "at.csv"))
    assert done.returncode == 0, done.stderr


def test_json_csv_and_html(run, file, tmp_path):
    done = run(
        *check(file, "loss", "half"), "--wrt", "b", "--json", "--csv", "r.csv", "--html", "r.html"
    )
    assert done.returncode == 1, done.stderr
    report = json.loads(done.stdout)
    assert report["ok"] is False
    assert report["findings"][0]["kind"] == "constant factor"
    assert len(pd.read_csv(tmp_path / "r.csv")) == 2
    assert "½ times" in (tmp_path / "r.html").read_text(encoding="utf-8")


@pytest.mark.r
def test_json_and_rds_agree_and_r_is_heard(run, tmp_path, live_engine):
    code = (
        "saveRDS(list(b = c(0.5, 1), X = rbind(1:2, 3:4, c(5L, 7L)), y = c(1L, 0L, 2L)), 'at.rds')"
    )
    subprocess.run(["Rscript", "-e", code], check=True, cwd=tmp_path)
    options = ("--wrt", "b", "--engine", live_engine, "--json", "--seed", "3")
    one, other = (
        run(*check("user.R", "loss", "right", f"at.{e}"), *options) for e in ("json", "rds")
    )
    assert one.returncode == other.returncode == 0, one.stderr + other.stderr
    assert one.stdout == other.stdout
    assert one.stderr.count("beware") == 1
    assert "In loss(b = b, X = X, y = y) : beware" in one.stderr


@pytest.mark.parametrize("ending", ["py", pytest.param("R", marks=pytest.mark.r)])
def test_generated_code_needs_no_names(run, ending):
    shapes = ("--shape", "X:n,p", "--shape", "b:p", "--shape", "y:n")
    done = run("derive", "norm2(X*b-y)^2/n", *shapes, "--wrt", "b,X", "-o", f"made.{ending}")
    assert done.returncode == 0, done.stderr
    done = run("check", f"made.{ending}", "--at", "at.json")
    assert done.returncode == 0, done.stdout + done.stderr


def test_known_files(run, file, tmp_path):
    (tmp_path / "rows.csv").write_text("3\n")
    done = run(*check(file, "mse", "right"), "--wrt", "b", "--known", "rows.csv")
    assert done.returncode == 1, done.stderr
    assert "(or rows" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (check("user.py", "lost", "g"), "no function 'lost'; it has loss(b, X, y)"),
        (check("none.py", "f", "g"), "there is no such file; wanted a Python file"),
        (check("user.jl", "f", "g"), "reads R (FILE.R) and Python (FILE.py); got user.jl"),
        (check("user.py", "f", "g", "no.json"), "there is no such file"),
        (check("user.py", "loss", "right"), "on the command line --wrt b"),
        ((*check("user.py", "fails", "right"), "--wrt", "b"), "`fails()` of user.py stopped"),
        ((*check("user.py", "f", "g", "at.csv"), "--plot", "x.doc"), "ending of --plot"),
    ],
)
def test_what_could_not_run_is_status_two(run, arguments, text):
    done = run(*arguments)
    assert done.returncode == 2, done.stdout + done.stderr
    assert text in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr
