"""The bridge to R: three backends with one method, and one way to convert values.

`connect` opens a backend; `Backend.call` runs one function of the R reference folder. Whatever
the backend, the same R value becomes the same Python value:

==========================================  ==================================================
Python                                      R
==========================================  ==================================================
`None`                                      `NULL`
1-D array                                   plain vector, without `dim`
n-D array                                   array, column-major
scalar, 0-d array                           vector of length one; comes back with shape ``(1,)``
float array (float32 is widened)            double; a missing value is `NA_REAL`
int array                                   integer if 32 bits hold it, else double if exact
bool array                                  logical
masked int or bool array                    integer or logical with `NA`
str array; object array with `None`         character; with `NA`
`Labelled`, series with a text index         vector with `names`, array with `dimnames`
`dict`, `list` (a tuple becomes a list)     named list, list
`pandas.Categorical`                        factor
`pandas.DataFrame`                          data.frame
==========================================  ==================================================

R warnings become Python warnings of class `RWarning`; R errors become `RCallError`.
"""

from matbackprop.rbridge.connection import connect
from matbackprop.rbridge.diagnosis import Diagnosis, diagnose
from matbackprop.rbridge.engine import Backend, Engine, RWarning
from matbackprop.rbridge.labelled import Labelled
from matbackprop.rbridge.missing import NA_REAL, is_na
from matbackprop.rbridge.reference import reference_folder

__all__ = [
    "NA_REAL",
    "Backend",
    "Diagnosis",
    "Engine",
    "Labelled",
    "RWarning",
    "connect",
    "diagnose",
    "is_na",
    "reference_folder",
]
