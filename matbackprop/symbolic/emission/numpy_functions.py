"""The elementwise functions in NumPy, and the small functions that programs call."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from matbackprop.symbolic.emission.printer import Helper

FUNCTION_TEXT: Mapping[str, str] = MappingProxyType(
    {
        **{name: f"np.{name}({{}})" for name in ("exp", "log", "abs", "sign", "tanh")},
        **{name: f"np.{name}({{}})" for name in ("sin", "cos", "tan", "sinh", "cosh")},
        **{f"a{name}": f"np.arc{name}({{}})" for name in ("sin", "cos", "tan")},
        "relu": "np.maximum({}, 0.0)",
        "step": "np.heaviside({}, 0.0)",
        "leaky_step": "np.maximum(np.heaviside({}, 0.0), 0.01)",
    }
)
"""The functions that NumPy writes without help. They keep single precision."""

_TEXTS = [
    Helper(
        "as_matrix",
        '''
def as_matrix(name, A, rows, columns):
    """Return A as a matrix of floats; a letter for rows or columns means any number of them."""
    A = np.asarray(A)
    if A.ndim == 1 and 1 in (rows, columns):
        A = A.reshape((-1, 1) if columns == 1 else (1, -1))
    fits = A.ndim == 2 and (rows != columns or A.shape[0] == A.shape[1])
    wanted = zip((rows, columns), A.shape)
    if not fits or any(w != m for w, m in wanted if not isinstance(w, str)):
        raise ValueError(f"{name} needs shape ({rows}, {columns}); got {A.shape}")
    return A if A.dtype.kind in "fc" else A.astype(float)
''',
    ),
    Helper(
        "leaky_relu",
        '''
def leaky_relu(h):
    """Return h where it is positive, 0.01 h elsewhere."""
    return np.where(h > 0, h, 0.01 * h)
''',
    ),
    Helper(
        "sigmoid",
        '''
def sigmoid(h):
    """Return 1 / (1 + exp(-h)), without overflow."""
    e = np.exp(-np.abs(h))
    return np.where(h >= 0, 1.0, e) / (1.0 + e)
''',
    ),
    Helper(
        "softplus",
        '''
def softplus(h):
    """Return log(1 + exp(h)), without overflow."""
    return np.maximum(h, 0.0) + np.log1p(np.exp(-np.abs(h)))
''',
    ),
    Helper(
        "silu",
        '''
def silu(h):
    """Return h / (1 + exp(-h))."""
    return h * sigmoid(h)
''',
        needs=("sigmoid",),
    ),
    Helper(
        "normal_cdf",
        '''
def normal_cdf(h):
    """Return the standard normal distribution function."""
    return special.ndtr(h)
''',
        scipy=True,
    ),
    Helper(
        "normal_pdf",
        '''
def normal_pdf(h):
    """Return the standard normal density."""
    return np.exp(-(h**2) / 2) / (2 * np.pi) ** 0.5
''',
    ),
    Helper(
        "gelu",
        '''
def gelu(h):
    """Return h times the standard normal distribution function of h."""
    return h * special.ndtr(h)
''',
        scipy=True,
    ),
    Helper(
        "lgamma",
        '''
def lgamma(h):
    """Return log |Gamma(h)|."""
    return special.gammaln(h)
''',
        scipy=True,
    ),
    Helper(
        "digamma",
        '''
def digamma(h):
    """Return the derivative of log Gamma."""
    return special.digamma(h)
''',
        scipy=True,
    ),
    Helper(
        "trigamma",
        '''
def trigamma(h):
    """Return the second derivative of log Gamma."""
    return special.polygamma(1, h)
''',
        scipy=True,
    ),
    Helper(
        "logdet",
        '''
def logdet(A):
    """Return log |A|, which is NaN unless |A| > 0."""
    sign, log_size = np.linalg.slogdet(A)
    return log_size if sign > 0 else np.nan
''',
    ),
    Helper(
        "logsumexp",
        '''
def logsumexp(Z):
    """Return the column of log(sum(exp(z))) of the rows z, without overflow."""
    top = np.max(Z, axis=1, keepdims=True)
    return top + np.log(np.sum(np.exp(Z - top), axis=1, keepdims=True))
''',
    ),
    Helper(
        "softmax",
        '''
def softmax(Z):
    """Return exp(Z) with each row divided by its sum, without overflow."""
    E = np.exp(Z - np.max(Z, axis=1, keepdims=True))
    return E / np.sum(E, axis=1, keepdims=True)
''',
    ),
    Helper(
        "commutation_order",
        '''
def commutation_order(m, n):
    """Return the order of rows such that vec(A)[order] is vec(A.T), for A of m rows, n columns."""
    return np.arange(m * n).reshape(n, m).T.ravel()
''',
    ),
    Helper(
        "duplication",
        '''
def duplication(n):
    """Return D with D @ vech(S) = vec(S) for symmetric S of n rows."""
    half = n * (n + 1) // 2
    index = np.zeros((n, n), dtype=int)
    index.T[np.triu_indices(n)] = np.arange(half)
    return np.eye(half)[np.maximum(index, index.T).ravel()]
''',
    ),
]

NUMPY_HELPERS: Mapping[str, Helper] = MappingProxyType({helper.name: helper for helper in _TEXTS})
"""By name; those that others need come before them."""
