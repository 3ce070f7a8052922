"""One tree of exceptions: catch `MatBackpropError`, or the builtin each one also is.

Every message names the call, what came, what was wanted and the remedy.
"""


class MatBackpropError(Exception):
    """Root of every error the package raises on purpose."""


class ShapeError(MatBackpropError, ValueError):
    """Operands do not conform."""


class DataError(MatBackpropError, ValueError):
    """The numbers themselves cannot be used: not finite, too few, or constant."""


class RangeError(DataError):
    """Finite numbers have led out of the range of floating-point numbers."""


class DtypeError(MatBackpropError, TypeError):
    """The numbers are of a kind the mathematics here is not written for."""


class OptionError(MatBackpropError, ValueError):
    """An option that does not exist, or a value outside its range."""


class FunctionError(MatBackpropError, ValueError):
    """A function that was passed does what no function of that kind may do."""


class MissingExtraError(MatBackpropError, ImportError):
    """A feature whose optional dependency is not installed."""


class RError(MatBackpropError, RuntimeError):
    """R could not be started, or said no."""


class RUnavailableError(RError):
    """No usable R: none installed, or rpy2 does not fit the one that is."""


class RCallError(RError):
    """R ran and stopped with an error; the message carries R's own words."""
