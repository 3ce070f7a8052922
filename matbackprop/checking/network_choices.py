"""The choices in the network's formulas: what is right, what is often taken for it, in words."""

from __future__ import annotations

from collections.abc import Mapping

from matbackprop.checking.cause import Cause

Options = Mapping[str, Cause | None]
"""What may stand at one place of a formula; the right thing first, which is no mistake."""


def _derivatives() -> dict[str, Cause | None]:
    def wrong(at: str, name: str) -> Cause:
        return Cause(
            "activation derivative",
            f"The derivative of the activation is taken at {at}, where H = b(XΓ₁) is meant.",
            "Take a′ at H, the argument of the activation in the forward pass.",
            key=name,
        )

    return {
        "a′(H)": None,
        "1": Cause(
            "activation derivative",
            "The derivative of the activation is taken as 1 everywhere: a′(H) is missing.",
            "Multiply by a′(H), entry by entry: S = a′(H) ⊙ (−2c₀ (y − ŷ)Γ₂ᵀ).",
            key="1",
        ),
        "a′(Z)": wrong("Z = XΓ₁", "Z"),
        "a′(X̂)": wrong("X̂, before γ and β", "X̂"),
        "a′(V)": wrong("V = a(H), the output of the activation", "V"),
        "a(H)": Cause(
            "activation derivative",
            "The activation itself stands where its derivative is meant.",
            "Replace a(H) by a′(H).",
            key="a",
        ),
    }


def _weights() -> dict[str, Cause | None]:
    return {
        "Γ₂": None,
        "1": Cause(
            "factor",
            "Γ₂ is missing: the error is not multiplied by the weights of the output.",
            "S = a′(H) ⊙ (−2c₀ (y − ŷ)Γ₂ᵀ).",
            key="Γ₂",
        ),
    }


def _pass() -> dict[str, Cause | None]:
    ddof = Cause(
        "ddof",
        "ddof is mixed up: σ divides by {wrong}, where that of the loss divides by {right}.",
        "Use the ddof of the loss in every σ: R's `scale` and `sd` divide by N − 1, "
        "NumPy's `std` and batch norm in deep learning by N.",
        key="pass",
    )
    return {
        "right": None,
        "other ddof": ddof,
        "other σ": ddof,
        "no eps": Cause(
            "eps",
            "eps is missing: the gradient divides by a σ without it.",
            "Add eps to the variance, as the loss does: σ² = variance + eps.",
            key="eps",
        ),
    }


def _divisor() -> dict[str, Cause | None]:
    return {
        "N − ddof": None,
        "N − (1 − ddof)": Cause(
            "ddof",
            "ddof is mixed up in the variance term: it divides by {wrong}, where {right} is meant.",
            "The variance term is X̂ diag(∂R/∂γ)/(N − ddof), with the ddof of the loss.",
            key="divisor",
        ),
        "1": Cause(
            "variance term",
            "The variance term of batch norm lacks its factor 1/(N − ddof).",
            "The variance term is X̂ diag(∂R/∂γ)/(N − ddof).",
            key="undivided",
        ),
    }


def _moments() -> dict[str, Cause | None]:
    remedy = "∂R/∂Z = (S − 1·mean(S) − X̂ diag(∂R/∂γ)/(N − ddof)) diag(γ/σ)."
    mean = "the mean term 1·mean(S)"
    variance = "the variance term X̂ diag(∂R/∂γ)/(N − ddof)"

    def said(kind: str, sentence: str, key: str) -> Cause:
        return Cause(kind, sentence, remedy, key=key)  # type: ignore[arg-type]

    return {
        "both": None,
        "fixed": said(
            "fixed moments",
            f"μ and σ are held fixed, though they depend on Γ₁: {mean} and {variance} are missing.",
            "fixed",
        ),
        "no mean": said("mean term", f"A term is missing: {mean} of batch norm.", "none"),
        "no variance": said(
            "variance term", f"A term is missing: {variance} of batch norm.", "none"
        ),
        "sum": said(
            "mean term", "The mean term of batch norm is a sum: its 1/N is missing.", "sum"
        ),
        "nodes": said(
            "mean term",
            "The mean term of batch norm is taken over the nodes, where that over the rows is "
            "meant.",
            "nodes",
        ),
        "mean without γ": said(
            "mean term",
            "The mean term of batch norm lacks its factor γ: mean(S) γ/σ is meant.",
            "no gamma",
        ),
        "variance without γ": said(
            "variance term",
            "The variance term of batch norm lacks its factor γ.",
            "no gamma",
        ),
        "plus mean": said("mean term", "The mean term of batch norm has the wrong sign.", "sign"),
        "plus variance": said(
            "variance term", "The variance term of batch norm has the wrong sign.", "sign"
        ),
        "half variance": said(
            "variance term", "The variance term of batch norm is half of what it should be.", "half"
        ),
        "γ in variance": said(
            "variance term",
            "The variance term of batch norm has a factor γ too many: it is computed from a ∂R/∂γ "
            "that has it.",
            "gamma",
        ),
        "twice variance": said(
            "variance term", "The variance term of batch norm is twice what it should be.", "twice"
        ),
    }


def _scales(right: str, wrong: tuple[str, ...]) -> dict[str, Cause | None]:
    options: dict[str, Cause | None] = {right: None}
    for scale in wrong:
        if right == "1":
            sentence = f"There is a factor {scale} too many."
            kind, remedy = "factor", f"Leave out the factor {scale}."
        else:
            sentence = f"Each column is scaled by {scale}, where {right} is meant"
            sentence += ": the scale is inverted." if scale in ("γσ", "σ/γ") else "."
            kind, remedy = "scale", f"Multiply column j by {right}."
        options[scale] = Cause(kind, sentence, remedy, key=scale)  # type: ignore[arg-type]
    return options


def _ofs(right: str, wrong: tuple[str, ...]) -> dict[str, Cause | None]:
    options: dict[str, Cause | None] = {right: None}
    for other in wrong:
        options[other] = Cause(
            "wrong quantity",
            f"{other} stands where {right} is meant.",
            f"Replace {other} by {right}.",
            key=other,
        )
    return options


_ERRORS = {"errors": _ofs("y − ŷ", ("y", "ŷ"))}
_S = {"derivative": _derivatives(), "weights": _weights(), **_ERRORS}
CHOICES: Mapping[tuple[str, bool], Mapping[str, Options]] = {
    ("Gamma1", False): _S,
    ("Gamma2", False): {"of": _ofs("V", ("H",)), **_ERRORS},
    ("Gamma1", True): _S
    | {
        "moments": _moments(),
        "scale": _scales("γ/σ", ("γσ", "γ", "1/σ", "σ", "1", "γ/σ²", "σ/γ", "γ²/σ", "Γ₂/σ")),
        "divisor": _divisor(),
        "pass": _pass(),
    },
    ("Gamma2", True): {"of": _ofs("V", ("H", "X̂", "Z")), "pass": _pass(), **_ERRORS},
    ("gamma", True): _S
    | {
        "of": _ofs("X̂", ("Z − μ", "Z", "H")),
        "scale": _scales("1", ("γ", "1/γ", "γ/σ", "1/σ", "γ²", "γσ")),
        "pass": _pass(),
    },
    ("beta", True): _S | {"scale": _scales("1", ("γ", "1/γ", "γ/σ", "1/σ", "σ")), "pass": _pass()},
}
"""The choices in each block's formula, the right option first."""
