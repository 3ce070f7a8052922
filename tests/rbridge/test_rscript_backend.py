"""Processes that hang, die or are interrupted leave nothing behind."""

import math
import os
import signal
import subprocess
import sys
import tempfile
import time

import pytest

from matbackprop.errors import OptionError, RCallError, RUnavailableError
from matbackprop.rbridge import connect

pytestmark = pytest.mark.r


@pytest.fixture
def scratch(tmp_path, monkeypatch):
    """An empty folder that takes the place of the system's temporary one."""
    folder = tmp_path / "scratch"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def test_files_are_removed_after_success_and_after_an_error(rscript, scratch):
    rscript.call("echo", x=1)
    with pytest.raises(RCallError):
        rscript.call("stops", x=1)
    assert list(scratch.iterdir()) == []


def test_a_call_that_takes_too_long_is_stopped(rscript, tools, scratch):
    impatient = connect("rscript", reference=tools, timeout=0.5)
    start = time.monotonic()
    with pytest.raises(
        RCallError, match=r"`sleeps\(\)` was stopped: .* after 0.5 s. Pass a longer"
    ):
        impatient.call("sleeps")
    assert time.monotonic() - start < 10
    assert list(scratch.iterdir()) == []


def test_a_process_that_dies_is_reported_with_its_status(rscript, scratch):
    with pytest.raises(RCallError, match=r"`quits\(\)` failed: Rscript ended with status 3"):
        rscript.call("quits")
    assert list(scratch.iterdir()) == []


def test_an_interrupt_ends_r_and_removes_the_files(rscript, tools, tmp_path):
    code = (
        "import sys, tempfile; from matbackprop.rbridge import connect\n"
        "tempfile.tempdir = sys.argv[2]\n"
        "backend = connect('rscript', reference=sys.argv[1])\n"
        "print('ready', flush=True)\n"
        "try: backend.call('sleeps')\n"
        "except KeyboardInterrupt: print('interrupted')\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(tools), str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    deadline = time.monotonic() + 20
    while not list(tmp_path.glob("matbackprop-*/call.R")) and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(0.5)
    os.kill(process.pid, signal.SIGINT)
    assert process.communicate(timeout=20)[0] == "interrupted\n"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("timeout", [0, -1.0, math.nan, True, "10"])
def test_a_timeout_must_be_positive(rscript, tools, timeout):
    with pytest.raises(OptionError, match="positive number of seconds; got"):
        connect("rscript", reference=tools, timeout=timeout)


def test_one_may_wait_for_ever(rscript, tools):
    backend = connect("rscript", reference=tools, timeout=math.inf)
    assert backend.call("echo", x=2).tolist() == [2]


def test_an_rscript_that_does_not_run_is_reported(tmp_path, tools, monkeypatch):
    broken = tmp_path / "Rscript"
    broken.write_text("#!/bin/sh\nexit 9\n")
    broken.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(RUnavailableError, match="exit status 9"):
        connect("rscript", reference=tools)


def test_an_r_that_is_too_old_is_refused(tmp_path, monkeypatch):
    old = tmp_path / "Rscript"
    old.write_text("#!/bin/sh\nprintf 'R version 3.6.3 (2020-02-29)'\n")
    old.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    text = r'`connect\("rscript"\)` needs R 4.0 or newer; found R version 3.6.3 \(2020-02-29\)'
    with pytest.raises(RUnavailableError, match=text):
        connect("rscript")
