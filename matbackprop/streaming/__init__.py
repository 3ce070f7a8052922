"""The exact gradient in one pass over the rows: on several threads, from files, over machines.

`Problem` holds a network and its data; `problem.gradient(par)` is the gradient over all rows.
"""

from matbackprop.network.data_moments import DataMoments
from matbackprop.streaming.fit_record import Fit, Step
from matbackprop.streaming.problem import Problem

__all__ = ["DataMoments", "Fit", "Problem", "Step"]
