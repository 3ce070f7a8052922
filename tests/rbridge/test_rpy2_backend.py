"""R inside this process: every way it fails to start, threads, and its neighbours.

Each case runs in a Python of its own: R starts once in a process, and a crash must be seen.
"""

import os
import re
import signal
import subprocess
import sys
import time

import pytest

from matbackprop.errors import RUnavailableError
from matbackprop.rbridge import connect

pytestmark = pytest.mark.r

CONNECT = """
from matbackprop.errors import RUnavailableError
from matbackprop.rbridge import connect
try:
    connect("rpy2")
except RUnavailableError as error:
    print(error)
"""

HIDE = """
import sys
class Hide:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "rpy2":
            raise ModuleNotFoundError("No module named 'rpy2'")
sys.meta_path.insert(0, Hide())
import importlib.metadata as metadata
true_version = metadata.version
def version(name):
    if name.startswith("rpy2"):
        raise metadata.PackageNotFoundError(name)
    return true_version(name)
metadata.version = version
"""


@pytest.fixture(autouse=True)
def _needs_rpy2(tools, unavailable):
    try:
        connect("rpy2", reference=tools)
    except RUnavailableError as error:
        unavailable(str(error))


def test_no_rpy2(python):
    said = python(HIDE + CONNECT)
    assert "could not start R: ModuleNotFoundError: No module named 'rpy2'" in said
    assert "R found: /" in said
    assert "R version" in said
    assert "rpy2 found: none." in said
    assert "-m pip install " in said
    assert 'engine="rscript"' in said


def test_pins_are_named_for_an_old_r(python):
    fake = (
        "import matbackprop.rbridge.installation as i\n"
        "from dataclasses import replace\n"
        "found = i.find_installation()\n"
        "old = replace(found, r_version='R version 4.2.2 (2022-10-31)', rpy2={})\n"
        "new = replace(old, r_version='R version 4.5.0 (2025-04-11)')\n"
        "print(i.repair_command(old)); print(i.repair_command(new))\n"
    )
    old, new = python(fake).splitlines()
    assert old.endswith("-m pip install 'rpy2<3.6.7' 'rpy2-rinterface<3.6.6' 'rpy2-robjects<3.6.6'")
    assert new.endswith("-m pip install --upgrade rpy2 rpy2-rinterface rpy2-robjects")


def test_wrong_r_home(python):
    said = python(CONNECT, R_HOME="/nonexistent")
    assert "could not start R: R_HOME=/nonexistent is not the home of an R" in said
    assert "with R_HOME=/nonexistent. rpy2 found: rpy2 " in said
    assert "To repair it: unset R_HOME." in said


def test_no_r(python, tmp_path):
    said = python(CONNECT, PATH=str(tmp_path))
    # rpy2 3.6 raises RuntimeError, rpy2 3.5 ValueError.
    assert re.search(r"could not start R: (RuntimeError|ValueError): .*R_HOME", said)
    assert "R found: none. rpy2 found: rpy2 " in said
    assert "To repair it: " in said
    assert "pip" not in said
    assert "engine=" not in said


def test_no_r_where_there_is_apt(python, tmp_path):
    apt = tmp_path / "apt-get"
    apt.write_text("#!/bin/sh\n")
    apt.chmod(0o755)
    assert "apt-get install r-base-core r-base-dev" in python(CONNECT, PATH=str(tmp_path))


@pytest.mark.parametrize(
    ("raised", "name"),
    [
        (
            "from _cffi_backend import FFI; raise FFI.error(\"symbol 'R_getVar' not found\")",
            "error: symbol",
        ),
        ("raise RuntimeError('broken')", "RuntimeError: broken"),
        ("raise ImportError('no lib')", "ImportError: no lib"),
        ("raise OSError('libR.so')", "OSError: libR.so"),
        ("raise FileNotFoundError('bin/R')", "FileNotFoundError: bin/R"),
        ("raise ValueError('anything else')", "ValueError: anything else"),
    ],
    ids=["ffi.error", "RuntimeError", "ImportError", "OSError", "FileNotFoundError", "ValueError"],
)
def test_any_failure_of_rpy2_becomes_one_error(python, tmp_path, raised, name):
    (tmp_path / "rpy2").mkdir()
    (tmp_path / "rpy2" / "__init__.py").write_text(raised)
    said = python(f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n{CONNECT}")
    assert f"{name}" in said
    assert "R found: /" in said
    assert "To repair it: " in said
    assert "pip install" in said


def test_auto_falls_back_and_says_why(python, tools):
    code = f"""
from matbackprop.rbridge import connect
backend = connect(reference={str(tools)!r})
print(backend.engine)
print(backend.call("echo", x=2.5))
"""
    said = python(HIDE + code)
    assert said.startswith("rscript (live): R version")
    assert 'passed over rpy2: `connect("rpy2")` could not start R: ModuleNotFoundError' in said
    assert said.endswith("[2.5]\n")


def test_auto_ends_at_the_recorded_results(python, tmp_path):
    code = """
from matbackprop.rbridge import connect
print(connect().engine)
"""
    said = python(HIDE + code, PATH=str(tmp_path))
    assert said.startswith("recorded (recorded results): R version")
    assert "passed over rpy2: " in said
    assert 'passed over rscript: `connect("rscript")` could not start R: no Rscript on PATH' in said


def test_a_worker_thread_may_not_start_r_but_may_use_it(python, tools):
    code = f"""
import threading
from matbackprop.errors import RUnavailableError
from matbackprop.rbridge import connect
def work():
    try:
        print(connect("rpy2", reference={str(tools)!r}).call("echo", x=1))
    except RUnavailableError as error:
        print(error)
def in_thread():
    thread = threading.Thread(target=work, name="worker")
    thread.start()
    thread.join()
in_thread()
connect("rpy2")
in_thread()
"""
    first, second = python(code).splitlines()
    assert "in the thread 'worker' before R was started" in first
    assert "Call `connect` once in the main thread first" in first
    assert second == "[1]"


def test_eight_threads_get_right_numbers(python, tools):
    code = f"""
import faulthandler, threading
import numpy as np
from concurrent.futures import ThreadPoolExecutor
from matbackprop.errors import RCallError
from matbackprop.rbridge import connect
faulthandler.enable()
backend = connect("rpy2", reference={str(tools)!r})
together = threading.Barrier(8)
def work(seed):
    rng = np.random.default_rng(seed)
    together.wait()
    for _ in range(60):
        n, k = rng.integers(1, 40, size=2)
        A, B = rng.standard_normal((n, k)), rng.standard_normal((k, n))
        np.testing.assert_allclose(backend.call("product", A=A, B=B), A @ B, rtol=1e-10, atol=1e-12)
        x = {{"a": [A, str(seed)], "b": None}}
        back = backend.call("echo", x=x)
        assert back["a"][0].tobytes() == A.tobytes() and back["a"][1] == str(seed)
        try:
            backend.call("an_environment") if n % 2 else backend.call("stops", x=seed)
        except RCallError as error:
            assert ("environment" if n % 2 else f"the number {{seed}} ") in str(error)
        else:
            raise AssertionError("no error")
    return seed
with ThreadPoolExecutor(8) as pool:
    print(sorted(pool.map(work, range(8))))
"""
    assert python(code) == "[0, 1, 2, 3, 4, 5, 6, 7]\n"


def test_nothing_is_printed_even_by_a_profile_that_greets(python, tools, tmp_path):
    profile = tmp_path / "profile.R"
    profile.write_text('cat("welcome to R\\n"); print(1); message("hello")\n')
    code = f"""
from matbackprop.rbridge import connect
backend = connect("rpy2", reference={str(tools)!r})
backend.call("chatters")
print("done")
"""
    assert python(code, R_PROFILE_USER=str(profile)) == "done\n"


def test_cells_of_r_work_beside_the_bridge(python, tools):
    code = f"""
import threading, warnings
warnings.simplefilter("ignore")  # IPython's and rpy2's own
import numpy as np
from IPython.core.interactiveshell import InteractiveShell
from matbackprop.rbridge import connect
shell = InteractiveShell.instance()
def cell(text):
    shell.run_cell(text).raise_error()
backend = connect("rpy2", reference={str(tools)!r})
backend.call("echo", x=1)
from rpy2.robjects import conversion
rules = conversion.get_conversion()
cell("%load_ext rpy2.ipython")
cell("x = 20.0")
cell("%%R -i x -o y\\ny <- x + 1; echo <- 'mine'; set.seed(5); seed <- .Random.seed")
assert shell.user_ns["y"][0] == 21.0
assert backend.call("echo", x=np.ones(3)).tolist() == [1.0, 1.0, 1.0]
backend.call("draws")
threading.Thread(target=backend.call, args=("draws",)).start()
cell("%%R -o z -o same\\nz <- c(y, 1); same <- identical(seed, .Random.seed) && echo == 'mine'")
assert list(shell.user_ns["z"]) == [21.0, 1.0]
assert shell.user_ns["same"][0], "the bridge touched the user's session"
assert conversion.get_conversion() is rules
print("good")
"""
    assert python(code).splitlines()[-1] == "good"


def test_each_call_has_a_converter_context_of_its_own(python, tools):
    code = f"""
from matbackprop.rbridge import connect
from matbackprop.rbridge.nodes import Node
from matbackprop.rbridge.rpy2_objects import converter
backend = connect("rpy2", reference={str(tools)!r})
from rpy2.robjects import conversion
before = conversion.get_conversion()
to_r = converter().py2rpy.dispatch(Node)
seen = []
def probe(node):
    seen.append(conversion.get_conversion())
    return to_r(node)
converter().py2rpy.register(Node, probe)
backend.call("echo", x=1)
try:
    backend.call("stops", x=1)
except Exception:
    pass
within = set(map(id, seen))
assert len(within) == 2 and id(before) not in within and id(converter()) not in within
assert all(Node in rules.py2rpy.registry for rules in seen)
assert conversion.get_conversion() is before and Node not in before.py2rpy.registry
"""
    python(code)


def test_r_started_by_the_user_is_joined(python, tools):
    code = f"""
import warnings
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import rpy2.robjects as ro
ro.r("x <- 5; sd <- function(...) stop('shadowed')")
from matbackprop.rbridge import connect
print(connect("rpy2", reference={str(tools)!r}).call("sees_globals"))
print(connect("rpy2").call("question_data")["X"].shape)
"""
    assert python(code) == "['sd' 'x']\n(10, 7)\n"


def test_the_engine_says_what_it_is(tools):
    engine = connect("rpy2", reference=tools).engine
    assert engine.live
    assert engine.r_version.startswith("R version ")
    assert engine.detail.startswith("rpy2 3.")
    assert engine.passed_over == ()


def test_a_fork_is_refused(python, tools):
    code = f"""
import os
from matbackprop.rbridge import connect
backend = connect("rpy2", reference={str(tools)!r})
child = os.fork()
if child == 0:
    try:
        backend.call("echo", x=1)
    except RuntimeError as error:
        assert "of which this one is a fork" in str(error), error
        os._exit(7)
    os._exit(1)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
    assert python(code) == "7\n"


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="None is immortal from Python 3.12 on")
def test_reading_an_answer_keeps_every_reference_to_none(python, tools):
    """Each one lost brings the interpreter nearer to its death."""
    code = f"""
import sys
import numpy as np
from matbackprop.rbridge import connect
backend = connect("rpy2", reference={str(tools)!r})
backend.call("echo", x=np.ones(3))
before = sys.getrefcount(None)
for _ in range(200):
    backend.call("echo", x=[np.ones(3), np.arange(4), np.array([True]), np.array(["a"])])
print(abs(sys.getrefcount(None) - before) < 100)
"""
    assert python(code) == "True\n"


@pytest.mark.parametrize("function", ["sleeps", "busy"])
def test_an_interrupt_reaches_python_and_stops_r(tools, tmp_path, function):
    (tmp_path / "all.R").write_text(
        "sleeps <- function() Sys.sleep(60)\n"
        "busy <- function() { s <- 0; for (i in 1:1e9) s <- s + i; s }\n"
    )
    code = f"""
from matbackprop.rbridge import connect
backend = connect("rpy2", reference={str(tmp_path)!r})
print("ready", flush=True)
try:
    backend.call({function!r})
except KeyboardInterrupt:
    print("interrupted", flush=True)
import signal
assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
(tmp := open({str(tmp_path / "all.R")!r}, "w")).write("one <- function() 1"); tmp.close()
print(backend.call("one")[0])
"""
    environment = {k: v for k, v in os.environ.items() if k != "R_HOME"}
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, env=environment
    )
    assert process.stdout.readline() == "ready\n"
    time.sleep(1)
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=20)
    assert out == "interrupted\n1.0\n"
