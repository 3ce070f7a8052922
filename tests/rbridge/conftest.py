"""Fixtures for R: a folder of small R functions, and every live backend in turn."""

import os
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import NoReturn

import pytest

from matbackprop.errors import RUnavailableError
from matbackprop.rbridge import Backend, connect
from matbackprop.rbridge.connection import EngineName

TOOLS = r"""
echo <- function(x) x
stops <- function(x) stop("the number ", x, " is not wanted")
stops_without_call <- function() stop("no call here", call. = FALSE)
warns <- function() { warning("first"); warning("second"); 7 }
chatters <- function() { print("printed"); cat("written\n"); message("told"); 8 }
draws <- function() { set.seed(1); rnorm(1) }
kind <- function(x) c(typeof(x), class(x)[1], if (is.null(dim(x))) "plain" else "dimensioned")
same <- function(x, y) identical(x, y)
sees_globals <- function() ls(globalenv())
an_environment <- function() globalenv()
a_date <- function() as.Date("2020-01-01")
a_complex <- function() 1i
odd_names <- function() list(a = 1, a = 2)
list_matrix <- function() matrix(list(1, 2), 1)
quiet_na <- function() NA_real_ + 1
subset_rows <- function() data.frame(a = 1:4)[c(2, 4), , drop = FALSE]
given_numbers <- function() { d <- data.frame(a = 1:3); attr(d, "row.names") <- 1:3; d }
compact_integers <- function() 1:5
latin1 <- function() { x <- "caf\xe9"; Encoding(x) <- "latin1"; x }
one_dimensional <- function() array(1:2, 2, list(c("a", "b")))
plain_one_dimensional <- function() array(1:2, 2)
list_in_frame <- function() { d <- data.frame(a = 1:2); d$b <- list(1, 2); d }
sleeps <- function() Sys.sleep(60)
quits <- function() quit(save = "no", status = 3)
product <- function(A, B) A %*% B
"""


@pytest.fixture(scope="session")
def tools(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tools")
    (folder / "all.R").write_text(TOOLS, encoding="ascii")
    return folder


@pytest.fixture(scope="session")
def opened(tools: Path) -> Callable[[EngineName], Backend]:
    """Open each backend once: asking Rscript for its version takes a tenth of a second."""
    return cache(lambda engine: connect(engine, reference=tools))


@pytest.fixture
def live(live_engine: EngineName, opened: Callable[[EngineName], Backend]) -> Backend:
    """Each live backend in turn, with the functions above."""
    return opened(live_engine)


@pytest.fixture(scope="session")
def rscript(tools: Path, unavailable: Callable[[str], NoReturn]) -> Backend:
    try:
        return connect("rscript", reference=tools)
    except RUnavailableError as error:
        unavailable(str(error))


@pytest.fixture
def python() -> Callable[..., str]:
    """Run code in a Python of its own; give its output, or fail with all that it said."""

    def run(code: str, **environment: str | None) -> str:
        merged: dict[str, str | None] = {**os.environ, **environment}
        # IPython would mix in the packages of an environment that is active but not this one.
        merged["VIRTUAL_ENV"] = None
        # rpy2 sets it in this process; a fresh one has to find R by itself.
        merged.setdefault("R_HOME", None)
        if "R_HOME" not in environment:
            merged["R_HOME"] = None
        done = subprocess.run(
            [sys.executable, "-W", "error", "-c", code],
            capture_output=True,
            text=True,
            timeout=120,
            env={key: value for key, value in merged.items() if value is not None},
        )
        assert done.returncode == 0, f"status {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    return run
