"""Where each block of θ = (vec Γ₁, vec Γ₂, γ, β) lies, and what its entries are called."""

from collections.abc import Sequence

from matbackprop.network.parameters import Parameters
from matbackprop.network.result import input_labels, output_labels


def parameter_blocks(par: Parameters, /) -> dict[str, slice]:
    """Return which entries of `par.to_vector()` belong to "Gamma1", "Gamma2", "gamma", "beta".

    Examples
    --------
    >>> parameter_blocks(Parameters(Gamma1=[[1.0, 2.0]], Gamma2=[3.0, 4.0]))
    {'Gamma1': slice(0, 2, None), 'Gamma2': slice(2, 4, None)}
    """
    blocks: dict[str, slice] = {}
    start = 0
    for name in ("Gamma1", "Gamma2", "gamma", "beta"):
        block = getattr(par, name)
        if block is not None:
            blocks[name] = slice(start, start + block.size)
            start += block.size
    return blocks


def parameter_labels(
    par: Parameters, inputs: Sequence[str] | None, outputs: Sequence[str] | None, /
) -> tuple[str, ...]:
    """Return a name for each entry of `par.to_vector()`, from those of inputs and outputs.

    Examples
    --------
    >>> parameter_labels(Parameters([[1.0], [2.0]], [3.0]), ("age", "dose"), None)
    ('Gamma1[age,h1]', 'Gamma1[dose,h1]', 'Gamma2[h1]')
    """
    p1, p2 = par.Gamma1.shape
    nodes = [f"h{j + 1}" for j in range(p2)]
    labels = [f"Gamma1[{x},{h}]" for h in nodes for x in input_labels(p1, inputs)]
    if par.Gamma2.ndim == 1:
        labels += [f"Gamma2[{h}]" for h in nodes]
    else:
        q = par.Gamma2.shape[1]
        labels += [f"Gamma2[{h},{y}]" for y in output_labels(q, outputs) for h in nodes]
    if par.gamma is not None:
        labels += [f"{name}[{h}]" for name in ("gamma", "beta") for h in nodes]
    return tuple(labels)
