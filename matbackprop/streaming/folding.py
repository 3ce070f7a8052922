"""Batch norm folded away, once the parameters are known: what is left for the rows."""

from __future__ import annotations

from matbackprop._typing import Array
from matbackprop.batchnorm import Moments
from matbackprop.network.affine_form import AffineForm, batch_form, fixed_form, plain_form
from matbackprop.network.column_spread import is_far_from_zero, sigma_of
from matbackprop.network.data_moments import DataMoments
from matbackprop.network.door import Given, conform_parameters
from matbackprop.network.model import Network
from matbackprop.network.parameters import Parameters
from matbackprop.streaming.host import on_host
from matbackprop.streaming.passes import Passes
from matbackprop.streaming.works.mapped import RowMap
from matbackprop.streaming.works.squares import SquaresWork


def fold(
    net: Network,
    par: Parameters,
    moments: Moments | None,
    passes: Passes,
    data: DataMoments | None,
    /,
    *,
    call: str,
) -> tuple[AffineForm, RowMap]:
    """Return H = (X − 1·pivotᵀ)W + 1cᵀ in float64, and the map of the rows in their dtype.

    Raises
    ------
    ShapeError, OptionError, DtypeError, DataError
        As `Problem.gradient` does.
    """
    X, y = passes.source.layout.stand_ins()
    given = conform_parameters(net, par, moments, X, y, passes.rows, call=call)
    form = _form(net, given, passes, data)
    dtype = given.X.dtype
    row_map = RowMap(
        activation=net.a,
        W=form.W.astype(dtype),
        c=form.c.astype(dtype),
        pivot=None if form.pivot is None else form.pivot.astype(dtype),
        Gamma2=given.Gamma2,
        rows=passes.rows_a_block(form.W.shape[1], dtype.name),
    )
    return form, row_map


def _form(net: Network, given: Given, passes: Passes, data: DataMoments | None) -> AffineForm:
    if net.batch_norm is None or data is None:
        return plain_form(given)
    pivot = data.pivot if is_far_from_zero(data) else None
    if given.fixed is not None:
        return fixed_form(given, pivot)

    def squares(Gamma1: Array) -> Array:
        layout = passes.source.layout
        work = SquaresWork(Gamma1, data, layout.dtype, passes.rows_a_block(layout.p1, layout.dtype))
        return on_host(passes.total(work, given.call).value)

    return batch_form(given, data, *sigma_of(given, net.batch_norm, data, squares), pivot)
