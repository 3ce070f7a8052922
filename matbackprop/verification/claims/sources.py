"""The four documents whose claims are checked, and what they are called here."""

from collections.abc import Mapping
from types import MappingProxyType

SOURCES: Mapping[str, str] = MappingProxyType(
    {
        "question": "StackExchange question on batch norm with matrices (2018): formulas, R code, "
        "printed figures",
        "answers": "The two answers to that question: vec/Kronecker forms, staged NumPy code, "
        "and course code below it",
        "differential forms": "Note deriving batch norm's gradient by differential forms, with a "
        "torch class",
        "course note": "Note with course-style forward and backward functions in NumPy",
        "torch note": "Note on a torch layer over (N, C, *) and its backward pass",
    }
)
