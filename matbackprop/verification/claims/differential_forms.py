"""Claims of the note that derives batch norm's gradient by differential forms."""

from matbackprop.verification.claims.claim import Claim, Trial, weigh
from matbackprop.verification.claims.draw import Draw, differential

_SOURCE = "differential forms"


def _product_rule(draw: Draw) -> Trial:
    m, n, p = draw.sizes(3)
    X, dX = draw.matrix(m, n), draw.matrix(m, n)
    Y, dY = draw.matrix(n, p), draw.matrix(n, p)
    truth = differential(lambda t: (X + t * dX) @ (Y + t * dY), 0.0, 1.0)  # type: ignore[arg-type]
    return weigh(truth, lambda: X @ dY + Y @ dX, corrected=lambda: dX @ Y + X @ dY)


DIFFERENTIAL_FORMS = (
    Claim(
        key="differential forms/product rule",
        source=_SOURCE,
        place="Differential rules, line 2",
        says="d(XY) = X dY + Y dX",
        how="complex step along (dX, dY), conforming random X, Y",
        experiment=_product_rule,
        corrected="d(XY) = dX Y + X dY",
    ),
)
