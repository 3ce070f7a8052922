"""The plugin as users meet it: in runs of pytest of their own, which find it by its entry point."""

import os
import re
import subprocess
import sys

import pytest

TESTS = """
import numpy as np

X = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 7.0]])
y = np.array([1.0, 0.0, 2.0])

def mse(b):
    return ((y - X @ b) ** 2).mean()

def right(b):
    return -2 * X.T @ (y - X @ b) / 3

def of_the_sum(b):
    return -2 * X.T @ (y - X @ b)

def test_right(check_gradient):
    check_gradient(mse, right, np.ones(2))

def test_wrong(check_gradient):
    check_gradient(mse, of_the_sum, np.ones(2), known={"N": 3})

def test_at_a_kink_of_every_entry(check_gradient):
    check_gradient(lambda x: np.abs(x).sum(), np.sign, at=np.zeros(2))

def test_misspelt_option(check_gradient):
    check_gradient(mse, right, np.ones(2), metod="entries")

def seen_by(check_gradient, **options):
    points = []
    def watched(b):
        points.append(b.tolist())
        return right(b)
    check_gradient(mse, watched, np.ones(2), **options)
    return points

def test_seed(check_gradient):
    print("SEED", seen_by(check_gradient))
    assert seen_by(check_gradient) == seen_by(check_gradient)

def test_other_seed(check_gradient):
    print("SEED", seen_by(check_gradient))

def test_own_rng(check_gradient):
    one, two = (seen_by(check_gradient, rng=np.random.default_rng(k)) for k in (1, 2))
    assert one != two
"""


@pytest.fixture
def run(tmp_path):
    (tmp_path / "test_user.py").write_text(TESTS, encoding="utf-8")

    def call(*arguments, code=0):
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-W", "error", *arguments],
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=120,
            cwd=tmp_path,
            env=os.environ | {"PYTHONIOENCODING": "utf-8", "COLUMNS": "120"},
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout

    return call


def test_a_right_gradient_passes(run):
    assert "1 passed" in run("-k", "test_right")


def test_a_wrong_one_fails_with_its_mistake_by_name(run):
    out = run("-k", "test_wrong", code=1)
    assert "Check of a gradient: WRONG" in out
    assert "The gradient is N times what it should be" in out
    assert "Remedy: " in out
    assert '>       check_gradient(mse, of_the_sum, np.ones(2), known={"N": 3})' in out
    assert "pytest_plugin.py" not in out, "the traceback ends in the user's test"
    assert "door.py" not in out


def test_what_cannot_be_judged_fails(run):
    assert "Check of a gradient: NOT JUDGED" in run("-k", "kink", code=1)


def test_a_misspelt_option_is_an_error(run):
    assert "unexpected keyword argument 'metod'" in run("-k", "misspelt", code=1)


def test_the_second_point_is_the_same_each_time_and_another_in_each_test(run):
    first, second = (re.findall("SEED .*", run("-k", "seed", "-s")) for _ in range(2))
    assert first == second
    assert len(set(first)) == len(first) == 2


def test_an_rng_may_be_passed(run):
    assert "1 passed" in run("-k", "own_rng")


def test_the_fixture_is_listed(run):
    assert re.search(r"check_gradient -- .*matbackprop/pytest_plugin\.py", run("--fixtures"))


def test_it_can_be_switched_off(run):
    assert "fixture 'check_gradient' not found" in run(
        "-p", "no:matbackprop", "-k", "right", code=1
    )


def test_a_run_without_it_loads_nothing_heavy(tmp_path):
    (tmp_path / "test_other.py").write_text(
        "import sys\n"
        "def test_light():\n"
        "    assert 'matbackprop.pytest_plugin' in sys.modules\n"
        "    assert not {'rpy2', 'pandas', 'matplotlib', 'dask'} & set(sys.modules)\n"
    )
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", "error"],
        capture_output=True, text=True, cwd=tmp_path, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_package_may_be_imported_before_pytest(tmp_path):
    """Pytest would rewrite the plugin's package; that it is too late for that is no error."""
    (tmp_path / "test_user.py").write_text(TESTS, encoding="utf-8")
    code = (
        "import matbackprop.checking, pytest\n"
        "raise SystemExit(pytest.main(['-k', 'right', '-W', 'error', '-p', 'no:cacheprovider']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, timeout=120
    )
    assert done.returncode == 0, done.stdout + done.stderr
