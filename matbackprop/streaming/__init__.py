"""The exact gradient in one pass over the rows: on several threads, from files, over machines.

`Problem` holds a network and its data, from arrays, files, blocks or Dask; as a `FullBatch` it
answers `gradient(par)`, `loss`, `predict`, `gauss_newton` and `fit`.
"""

from matbackprop.network.data_moments import DataMoments
from matbackprop.streaming.fit_record import Fit, Step
from matbackprop.streaming.full_batch import FullBatch
from matbackprop.streaming.problem import Problem

__all__ = ["DataMoments", "Fit", "FullBatch", "Problem", "Step"]
