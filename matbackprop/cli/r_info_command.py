"""`matbackprop r-info`: which R, which rpy2, what works, and what to run if it does not."""

from __future__ import annotations

from typing import Annotated

import typer

from matbackprop.rbridge import diagnose
from matbackprop.reporting import Terminal, as_json


def r_info(
    json: Annotated[bool, typer.Option("--json", help="Print everything as JSON.")] = False,
) -> int:
    """Tell which R and rpy2 are here, which engines work, and how to repair the others.

    Exit status: 0 if a live R answers, 1 if not.
    """
    diagnosis = diagnose()
    if json:
        print(as_json(diagnosis.to_dict()))
    else:
        Terminal().say(str(diagnosis))
    return 0 if diagnosis.ok else 1
