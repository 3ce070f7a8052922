"""The pages' Sphinx extensions lie beside their conf.py, outside the package."""

import os
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "vignettes" / "_ext"))

# Elsewhere these tests are skipped without the extra; in CI that would pass unseen.
if os.environ.get("CI"):
    for library in ("latex2mathml", "myst_nb", "sphinx"):
        if find_spec(library) is None:
            raise pytest.UsageError(f"CI must have {library}: install the extra `docs`")
