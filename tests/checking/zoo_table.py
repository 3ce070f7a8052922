"""The zoo: every planted mistake, and every loss without one."""

from tests.checking.zoo_factors import FACTORS
from tests.checking.zoo_losses import gaussian, linear, logistic, network, softmax
from tests.checking.zoo_mistakes import of
from tests.checking.zoo_pairs import PAIRS
from tests.checking.zoo_places import PLACES
from tests.checking.zoo_points import POINTS
from tests.checking.zoo_repeats import CONSTANTS, NOISE
from tests.checking.zoo_shapes import SHAPES
from tests.checking.zoo_terms import TERMS

ZOO = [*SHAPES, *FACTORS, *TERMS, *POINTS, *CONSTANTS, *NOISE, *PLACES, *PAIRS]

CORRECT = [
    ("linear, array", of(linear)),
    ("linear, vector", of(linear, form="vector", mse=False)),
    ("linear, everything", of(linear, ridge=0.3, weighted=True, sds=True, scaled=True)),
    ("linear, centred", of(linear, centred=True)),
    ("linear, dict", of(linear, form="dict", second="intercept")),
    ("linear, tuple", of(linear, form="tuple", second="C")),
    ("logistic", of(logistic)),
    ("logistic, penalties", of(logistic, ridge=0.1, lasso=0.2, scaled=True)),
    ("logistic, Brier", of(logistic, brier=True, mean=False)),
    ("softmax", of(softmax, ridge=0.1)),
    ("softmax, vector", of(softmax, p=5, K=3, form="vector")),
    ("network", of(network)),
    ("network, relu", of(network, activation="relu", ddof=1, eps=0.0, loss="sse")),
    ("network, q = 3", of(network, q=3, activation="gelu", eps=0.1, decay=0.1)),
    ("network, parameters", of(network, form="parameters", ddof=1)),
    ("network, vector", of(network, form="vector", activation="leaky_relu")),
    ("network, plain", of(network, batch_norm=False)),
    ("gaussian", of(gaussian)),
    ("gaussian, lower triangle", of(gaussian, lower=True, mean=True)),
    ("gaussian, M alone", of(gaussian, only_M=True, form="array")),
]
