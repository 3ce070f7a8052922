"""Where the R reference code lies."""

from pathlib import Path

from matbackprop.errors import OptionError, RUnavailableError


def reference_folder() -> Path:
    """Return the folder of R files that ships with the package.

    In a wheel it lies inside the package; in a source checkout, or an editable installation
    of one, beside it.

    Raises
    ------
    RUnavailableError
        If it is in neither place.
    """
    package = Path(__file__).resolve().parents[1]
    candidates = (package / "r_reference", package.parent / "r_reference")
    for folder in candidates:
        if (folder / "all.R").is_file():
            return folder
    raise RUnavailableError(
        "`reference_folder()` found no R reference code: no all.R in "
        f"{' or '.join(map(str, candidates))}. Install the package again, or pass the folder: "
        "`connect(..., reference=...)`."
    )


def checked_reference(folder: Path | str | None, /, *, holding: str) -> Path:
    """Return `folder`, or the one that ships, after checking that it holds what is needed.

    Raises
    ------
    OptionError
        If a folder was given that lacks `holding`.
    """
    if folder is None:
        return reference_folder()
    folder = Path(folder).resolve()
    if not (folder / holding).exists():
        raise OptionError(
            f"`connect(reference=...)` needs a folder that holds {holding}; got {folder}. "
            "Leave it out to use the reference code that ships with the package."
        )
    return folder
