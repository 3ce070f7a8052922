"""The pages' Sphinx extensions lie beside their conf.py, outside the package."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "vignettes" / "_ext"))
