"""What every function that goes entry by entry shares: its Jacobian is diagonal."""

from __future__ import annotations

from matbackprop.symbolic.expressions.construct import diag, identity, scale, vec
from matbackprop.symbolic.expressions.expression import Expr


def along_the_diagonal(slope: Expr, /) -> Expr:
    """Return diag(vec(slope)), mn×mn; of a scalar s the 1×1 matrix s·I.

    Examples
    --------
    >>> from matbackprop.symbolic.expressions.expression import Variable
    >>> from matbackprop.symbolic.expressions.graph import ONE
    >>> x = Variable("x", (ONE * 3, ONE))
    >>> along_the_diagonal(x).evaluate({"x": [[1.0], [2.0], [3.0]]})
    array([[1., 0., 0.],
           [0., 2., 0.],
           [0., 0., 3.]])
    """
    return scale(slope, identity(1)) if slope.is_scalar else diag(vec(slope))
