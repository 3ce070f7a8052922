"""The README's examples run as printed, one after the other."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

README = Path(__file__).parents[1] / "README.md"


def test_the_examples_run():
    blocks = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), flags=re.S)
    assert len(blocks) == 5
    assert all(len(block.splitlines()) <= 25 for block in blocks)
    code = "".join(blocks)
    done = subprocess.run(
        [sys.executable, "-X", "utf8", "-c", code], capture_output=True, encoding="utf-8"
    )
    assert done.returncode == 0, done.stderr
    assert "Gamma1 x1" in done.stdout
    assert "\n-X'*inv(S)*E\nchecked at 3 random points" in done.stdout
    (beta,) = [line for line in done.stdout.splitlines() if line.startswith("[ 0.995")]
    found = [float(number) for number in beta.strip("[]").split()]
    assert found == pytest.approx([0.9952330, 1.1510608, -4.0426069, -0.3169117], abs=1e-7)
