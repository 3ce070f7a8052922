"""What a backend is and says of itself."""

from dataclasses import dataclass
from typing import Any, Protocol


class RWarning(UserWarning):
    """R ran and warned; the message carries R's own words."""


@dataclass(frozen=True, slots=True)
class Engine:
    """Which R answers.

    Attributes
    ----------
    name
        "rpy2", "rscript" or "recorded".
    live
        Whether an R is running now; recorded results were made by one earlier.
    r_version
        R's own words, such as "R version 4.2.2 (2022-10-31)".
    detail
        How it is reached: version of rpy2, path of Rscript, folder of the recorded results.
    passed_over
        The engines that "auto" tried before, each with the reason why it was not taken.
    """

    name: str
    live: bool
    r_version: str
    detail: str
    passed_over: tuple[tuple[str, str], ...] = ()

    def __str__(self) -> str:
        """One line, and one more for each engine passed over."""
        kind = "live" if self.live else "recorded results"
        lines = [f"{self.name} ({kind}): {self.r_version}, {self.detail}"]
        lines += [f"passed over {name}: {why}" for name, why in self.passed_over]
        return "\n".join(lines)


class Backend(Protocol):
    """One way to have R's functions answered."""

    @property
    def engine(self) -> Engine:
        """Which R answers."""
        ...

    def call(self, function: str, /, **arguments: Any) -> Any:
        """Run `function` of the reference folder and return its value.

        Raises
        ------
        RCallError
            If R stops with an error, or its value has no lossless form in Python.
        RUnavailableError
            If the results are recorded and hold no such call.
        DtypeError, DataError
            If an argument has no lossless form in R.
        """
        ...
