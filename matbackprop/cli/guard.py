"""What a command may end in: a verdict, one message, or silence; never a traceback by accident."""

import functools
import io
import os
import sys
import traceback
from collections.abc import Callable
from typing import ParamSpec

import typer

from matbackprop.errors import MatBackpropError

P = ParamSpec("P")


def guarded(command: Callable[P, int], /) -> Callable[P, None]:
    """Make the exit status of what a command returns, or of what stops it.

    Status 0 and 1 are the command's own verdicts; 2 means it could not run, 130 that it was
    interrupted, 141 that nobody reads its output any more.
    """

    @functools.wraps(command)
    def run(*arguments: P.args, **options: P.kwargs) -> None:
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper):  # a terminal without Γ shows a ? for it
                stream.reconfigure(errors="replace")
        try:
            status = command(*arguments, **options)
            sys.stdout.flush()
        except MatBackpropError as error:
            print(f"matbackprop: {error}", file=sys.stderr)
            status = 2
        except KeyboardInterrupt:
            print("matbackprop: interrupted", file=sys.stderr)
            status = 130
        except BrokenPipeError:  # `head`, say, has seen enough
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            status = 141
        except Exception:  # a defect of ours; status 1 would read as a mismatch
            traceback.print_exc()
            status = 2
        raise typer.Exit(status)

    run.__annotations__ = command.__annotations__ | {"return": None}
    return run
