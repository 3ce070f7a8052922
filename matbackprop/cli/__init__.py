"""The command line: `matbackprop verify | claims | derive | check | bench | r-info`."""

import typer

from matbackprop._version import __version__
from matbackprop.cli.bench_command import bench
from matbackprop.cli.check_command import check
from matbackprop.cli.claims_command import claims
from matbackprop.cli.derive_command import MinusFirst, derive
from matbackprop.cli.guard import guarded
from matbackprop.cli.r_info_command import r_info
from matbackprop.cli.verify_command import verify

app = typer.Typer(
    help="Gradients in matrix form, and their proofs.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command("verify")(guarded(verify))
app.command("claims")(guarded(claims))
app.command("derive", cls=MinusFirst)(guarded(derive))
app.command("check")(guarded(check))
app.command("bench")(guarded(bench))
app.command("r-info")(guarded(r_info))


@app.callback(invoke_without_command=True)
def version(show: bool = typer.Option(False, "--version", help="Print the version.")) -> None:
    """Gradients in matrix form, and their proofs."""
    if show:
        print(__version__)
        raise typer.Exit


def main() -> None:
    """Run the command line."""
    app()
