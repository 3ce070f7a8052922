"""A live R in a process of its own: needs R, not rpy2.

The call travels as R source in one file, the answer as JSON in another, both in a temporary
directory that is removed whatever happens.
"""

import json
import math
import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from matbackprop.errors import OptionError, RCallError
from matbackprop.rbridge.answer import call_text, read_answer
from matbackprop.rbridge.conversion import to_node
from matbackprop.rbridge.engine import Engine
from matbackprop.rbridge.installation import refuse_old_r, unavailable
from matbackprop.rbridge.json_nodes import node_from_json
from matbackprop.rbridge.literals import source_text, string_literal
from matbackprop.rbridge.nodes import Node
from matbackprop.rbridge.reference import checked_reference, reference_folder

_DRIVER = Path(__file__).with_name("driver.R")
_PROBE_SECONDS = 30.0
# Not `Rscript call.R`: for scripts R parses an expression anew with each of its lines, and
# 20,000 numbers took it a minute; `source` parses the file once.
_RUN = "source('call.R',keep.source=FALSE)"


@dataclass(frozen=True, slots=True)
class RscriptBackend:
    """Starts one `Rscript --vanilla` for each call; safe to use from any thread."""

    engine: Engine
    rscript: str
    reference: Path
    exchange: Path
    timeout: float

    def call(self, function: str, /, **arguments: Any) -> Any:
        """Run `function` of the reference folder in an R of its own."""
        call = call_text(function, arguments)
        return read_answer(self._answer(function, to_node(arguments, call), call), call)

    def _answer(self, function: str, arguments: Node, call: str) -> Node:
        with tempfile.TemporaryDirectory(prefix="matbackprop-") as folder:
            script, result = Path(folder, "call.R"), Path(folder, "result.json")
            script.write_text(self._script(function, arguments, result), encoding="ascii")
            try:
                # On a timeout, and on Ctrl-C, `run` kills R before it raises.
                done = subprocess.run(
                    [self.rscript, "--vanilla", "-e", _RUN],
                    cwd=folder,
                    stdin=subprocess.DEVNULL,
                    capture_output=True,
                    env=_without_r_home(),
                    timeout=None if math.isinf(self.timeout) else self.timeout,
                    check=False,
                )
            except subprocess.TimeoutExpired:
                raise RCallError(
                    f"`{call}` was stopped: R had not answered after {self.timeout:g} s. "
                    "Pass a longer `connect(..., timeout=seconds)`."
                ) from None
            if done.returncode or not result.is_file():
                said = done.stderr.decode(errors="replace").strip()
                raise RCallError(
                    f"`{call}` failed: Rscript ended with status {done.returncode} and said: "
                    f"{said[-2000:] or 'nothing'}"
                )
            text = result.read_text(encoding="utf-8")
        try:
            return node_from_json(json.loads(text))
        except ValueError as error:
            raise RCallError(
                f"`{call}` ran, but `to_json` of {self.exchange} wrote what cannot be read "
                f"back: {error}. Install the package again."
            ) from error

    def _script(self, function: str, arguments: Node, result: Path) -> str:
        texts = {
            "folder": self.reference,
            "name": function,
            "exchange": self.exchange,
            "result": result,
        }
        named = [f"{name} = {string_literal(str(text))}" for name, text in texts.items()]
        named.append(f"arguments = {source_text(arguments)}")
        return (
            "local({\n"
            "driver <- new.env(parent = baseenv())\n"
            f"sys.source({string_literal(str(_DRIVER))}, envir = driver)\n"
            f"driver$serve({', '.join(named)})\n"
            "})\n"
        )


def open_rscript(*, reference: Path | str | None, timeout: float = 600.0) -> RscriptBackend:
    """Find Rscript and have it say its version.

    Raises
    ------
    RUnavailableError
        If there is none, or it does not run.
    OptionError
        If `timeout` is not a positive number of seconds.
    """
    if isinstance(timeout, bool) or not isinstance(timeout, int | float) or not timeout > 0:
        raise OptionError(
            f"`connect(timeout=...)` needs a positive number of seconds; got {timeout!r}. "
            "Pass `math.inf` to wait as long as it takes."
        )
    folder = checked_reference(reference, holding="all.R")
    rscript = _find_rscript()
    if rscript is None:
        raise unavailable("rscript", "no Rscript on PATH")
    probe = [rscript, "--vanilla", "-e", "cat(R.version.string)"]
    try:
        said = subprocess.run(
            probe,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_PROBE_SECONDS,
            check=True,
            env=_without_r_home(),
        ).stdout.decode(errors="replace")
    except (OSError, subprocess.SubprocessError) as error:
        raise unavailable("rscript", f"{type(error).__name__}: {error}") from error
    refuse_old_r("rscript", said.strip())
    engine = Engine("rscript", live=True, r_version=said.strip(), detail=rscript)
    return RscriptBackend(engine, rscript, folder, reference_folder(), float(timeout))


def _without_r_home() -> dict[str, str]:
    # Rscript knows its own home, and writes a warning about another one into its answers.
    return {name: value for name, value in os.environ.items() if name != "R_HOME"}


def _find_rscript() -> str | None:
    found = shutil.which("Rscript")
    if found is None and "R_HOME" in os.environ:
        found = shutil.which("Rscript", path=str(Path(os.environ["R_HOME"]) / "bin"))
    return found
