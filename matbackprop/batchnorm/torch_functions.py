"""The transform and its pullback as functions that torch's autograd can differentiate.

Reached through `matbackprop.batchnorm.torch`, which says what to do where torch is missing.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from matbackprop.batchnorm.affine import Cache, pull_back, transform
from matbackprop.batchnorm.arrangements import batch_arrangement
from matbackprop.batchnorm.centring import centred_moments
from matbackprop.batchnorm.normalization import Normalized
from matbackprop.batchnorm.tangent import pull_back_dot, push_forward


class BatchNormFunction(torch.autograd.Function):
    """Y = γ ⊙ (X − μ)/σ + β; what `batch_norm` applies once its arguments are checked.

    `apply(X, gamma, beta, pivot, shift, sigma, divisor, eps)`, with μ = pivot + shift as in
    `CentredMoments`, and divisor and eps as in `Normalized`. With a divisor, μ and σ are those of
    the batch, and the gradient knows that they depend on X; with None they are constants.
    """

    generate_vmap_rule = True

    @staticmethod
    def forward(
        X: Tensor, gamma: Tensor | None, beta: Tensor | None, *normalization: Any
    ) -> Tensor:
        """Return Y."""
        return transform(_cache(_plain(X), gamma, *normalization), beta)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
        """Save X and not X̂; and save it with torch, which notices when X is changed in place."""
        X, gamma, _, pivot, shift, sigma, *ctx.constants = inputs
        ctx.save_for_backward(X, gamma, pivot, shift, sigma)
        ctx.save_for_forward(X, gamma, pivot, shift, sigma)

    @staticmethod
    def jvp(
        ctx: Any, X: Tensor | None, gamma: Tensor | None, beta: Tensor | None, *constants: None
    ) -> Tensor:
        """Return the derivative of Y in the direction (X, γ, β); None stands for zero."""
        cache = _cache(*ctx.saved_tensors, *ctx.constants)
        X = torch.zeros_like(cache.b.X) if X is None else X
        return push_forward(X, cache, gamma=gamma, beta=beta)

    @staticmethod
    def backward(ctx: Any, dY: Tensor) -> tuple[Tensor | None, ...]:
        """Return ∂L/∂X, ∂L/∂γ, ∂L/∂β, as far as they are asked for."""
        gradients = PullbackFunction.apply(dY, *ctx.saved_tensors, *ctx.constants)  # type: ignore[no-untyped-call]
        return _asked(ctx, *gradients)


class PullbackFunction(torch.autograd.Function):
    """The pullback of `BatchNormFunction` as a function of ∂L/∂Y, X and γ.

    `apply(dY, X, gamma, pivot, shift, sigma, divisor, eps)` returns ∂L/∂X, ∂L/∂γ, ∂L/∂β.
    """

    generate_vmap_rule = True

    @staticmethod
    def forward(
        dY: Tensor, X: Tensor, gamma: Tensor | None, *normalization: Any
    ) -> tuple[Tensor, Tensor | None, Tensor | None]:
        """Return ∂L/∂X, ∂L/∂γ, ∂L/∂β."""
        return tuple(pull_back(_plain(dY), _cache(_plain(X), gamma, *normalization)))

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Any) -> None:
        """Save all that the pullback is a function of."""
        *tensors, divisor, eps = inputs
        ctx.constants = divisor, eps
        ctx.save_for_backward(*tensors)
        ctx.save_for_forward(*tensors)

    @staticmethod
    def jvp(
        ctx: Any, dY: Tensor | None, X: Tensor | None, gamma: Tensor | None, *constants: None
    ) -> tuple[Tensor | None, ...]:
        """Return the derivative of ∂L/∂X, ∂L/∂γ, ∂L/∂β in the direction (∂L/∂Y, X, γ)."""
        S, *saved = ctx.saved_tensors
        X = torch.zeros_like(S) if X is None else X
        cache = _cache(*saved, *ctx.constants)
        return tuple(pull_back_dot(S, cache, X=X, gamma=gamma, dY_dot=dY))

    @staticmethod
    def backward(
        ctx: Any, X_dot: Tensor, gamma_dot: Tensor | None, beta_dot: Tensor | None
    ) -> tuple[Tensor | None, ...]:
        """Return the gradients with respect to ∂L/∂Y, X and γ.

        The pullback is linear in ∂L/∂Y, the transpose of pushing forward; and it is the gradient
        of ⟨∂L/∂Y, Y⟩, whose Hessian is symmetric: its derivative is its own transpose.
        """
        dY, X, gamma, pivot, shift, sigma = ctx.saved_tensors
        divisor, eps = ctx.constants
        if divisor is not None and torch.is_grad_enabled():
            # A third derivative goes through the graph of this one, and through the moments.
            pivot, shift, variance = centred_moments(X, batch_arrangement(tuple(X.shape)).axes)
            sigma = torch.sqrt(variance + eps)
        cache = _cache(X, gamma, pivot, shift, sigma, divisor, eps)
        pushed = push_forward(X_dot, cache, gamma=gamma_dot, beta=beta_dot)
        second = pull_back_dot(dY, cache, X=X_dot, gamma=gamma_dot)
        return _asked(ctx, pushed, second.X, second.gamma)


def _plain(X: Tensor) -> Tensor:
    """Return X as compiled code can read it; no derivative is recorded inside a Function."""
    return X.detach() if X.requires_grad else X


def _cache(
    X: Tensor,
    gamma: Tensor | None,
    pivot: Tensor,
    shift: Tensor,
    sigma: Tensor,
    divisor: int | None,
    eps: float,
) -> Cache:
    arrangement = batch_arrangement(tuple(X.shape))
    b = Normalized(X, pivot, shift, sigma, divisor, arrangement.axes, eps)
    return Cache(b, gamma, tuple(X.shape), arrangement)


def _asked(ctx: Any, *gradients: Tensor | None) -> tuple[Tensor | None, ...]:
    """Return a gradient for each input that needs one, and None for the others."""
    asked = ctx.needs_input_grad
    padded = (*gradients, *[None] * (len(asked) - len(gradients)))
    return tuple(g if needed else None for g, needed in zip(padded, asked, strict=True))
