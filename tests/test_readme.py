"""The README's example runs as printed."""

import re
import subprocess
import sys
from pathlib import Path

README = Path(__file__).parents[1] / "README.md"


def test_the_example_runs():
    (code,) = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), flags=re.S)
    assert len(code.splitlines()) <= 25
    done = subprocess.run(
        [sys.executable, "-X", "utf8", "-c", code], capture_output=True, encoding="utf-8"
    )
    assert done.returncode == 0, done.stderr
    assert "Gamma1 x1" in done.stdout
    assert "[ 0.995233    1.15106082 -4.04260693 -0.31691167]" in done.stdout
