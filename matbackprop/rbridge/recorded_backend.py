"""Results that R gave earlier, kept as files: no R needed, and no other calls possible."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from matbackprop.errors import DataError, RUnavailableError
from matbackprop.rbridge.conversion import from_node
from matbackprop.rbridge.engine import Engine
from matbackprop.rbridge.installation import find_installation, repair_command
from matbackprop.rbridge.json_nodes import node_from_json
from matbackprop.rbridge.reference import checked_reference


@dataclass(frozen=True, slots=True)
class RecordedBackend:
    """Serves calls without arguments from ``recorded/<function>.json``."""

    engine: Engine
    folder: Path

    def call(self, function: str, /, **arguments: Any) -> Any:
        """Return the recorded value of `function`, which takes no arguments."""
        files = _files(self.folder)
        if arguments or function not in files:
            shown = f"{function}({', '.join(f'{name}=...' for name in arguments)})"
            raise RUnavailableError(
                f"`{shown}` needs a live R: the recorded results hold only "
                f"{', '.join(f'{name}()' for name in files)}. To have one: {_live_r()}."
            )
        return from_node(node_from_json(_read(files[function])["value"], "$.value"))


def open_recorded(*, reference: Path | str | None) -> RecordedBackend:
    """Open the recorded results of a reference folder.

    Raises
    ------
    RUnavailableError
        If there are none.
    DataError
        If a file is not a record, or they come from different versions of R.
    """
    folder = checked_reference(reference, holding="recorded") / "recorded"
    files = _files(folder)
    if not files:
        raise RUnavailableError(
            f'`connect("recorded")` found no recorded results in {folder}. {_remedy(folder)}'
        )
    versions = sorted({_read(path)["r_version"] for path in files.values()})
    if len(versions) > 1:
        raise DataError(
            f"The recorded results in {folder} come from different versions of R "
            f"({'; '.join(versions)}). {_remedy(folder)}"
        )
    return RecordedBackend(Engine("recorded", False, versions[0], f"files in {folder}"), folder)


def _live_r() -> str:
    found = find_installation()
    if found.r_path:
        return f'R is installed at {found.r_path}, so pass engine="rscript"'
    return repair_command(found)


def _files(folder: Path) -> dict[str, Path]:
    return {path.stem: path for path in sorted(folder.glob("*.json"))}


def _read(path: Path) -> dict[str, Any]:
    def fault(why: str) -> DataError:
        return DataError(f"The recorded result {path} is not usable: {why}. {_remedy(path.parent)}")

    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise fault(f"it cannot be read as JSON ({error})") from error
    if not isinstance(record, dict):
        raise fault(f"it should hold an object, but holds {type(record).__name__}")
    for key in ("function", "r_version", "value"):
        if key not in record:
            raise fault(f'it lacks "{key}"')
    if record["function"] != path.stem:
        raise fault(f"it holds the result of {record['function']!r}, not of {path.stem!r}")
    if not isinstance(record["r_version"], str):
        raise fault(f"its r_version is {record['r_version']!r}, not a text")
    try:
        node_from_json(record["value"], "$.value")
    except DataError as error:
        raise fault(str(error)) from error
    return record


def _remedy(folder: Path) -> str:
    return f"Make them again: Rscript {folder.parent / 'generate.R'}."
