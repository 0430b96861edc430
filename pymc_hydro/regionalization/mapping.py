"""Mappings of attributes to coordinates of parameters: linear, a small network, a Gaussian process.

A coordinate is the logit of a parameter's position between its bounds, on an axis that is
logarithmic if the bounds differ by a factor of 100 or more (:mod:`pymc_hydro.calibration.space`).
Each function computes with NumPy or with PyTensor, whichever it is given.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = ["MAPPINGS", "AbstractMapping", "FeatureMapping", "Network", "define_mapping"]

HIDDEN = 8  # nodes of a network
# Of a Gaussian process: standard deviation beside weights of one, and length of its kernel in units
# of the median distance of basins.
HEIGHT, LENGTH = 2.0, 0.5
JITTER = 1e-6  # of a covariance matrix, which rounding else makes indefinite


@dataclass(frozen=True)
class AbstractMapping(ABC):
    """From scaled attributes (n_basin, n_attribute) to coordinates (n_basin, n_free).

    Attributes
    ----------
    n_attribute, n_free : int
    """

    n_attribute: int
    n_free: int

    @property
    @abstractmethod
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Shapes of the weights by name; ``intercept`` comes first, and has no penalty."""

    @abstractmethod
    def start(self, rng: np.random.Generator) -> dict[str, np.ndarray]:
        """Return weights at which a search begins, all but the intercept."""

    @abstractmethod
    def __call__(self, x: Any, weights: Mapping[str, Any], math: Any = np) -> Any:
        """Return the coordinates of basins; `math` is ``numpy`` or ``pytensor.tensor``."""

    @abstractmethod
    def slopes(self, x: np.ndarray, weights: Mapping[str, np.ndarray]) -> list[np.ndarray]:
        """Return derivatives (n_basin, n_free, n) by each of the weights, in their order."""

    @property
    def size(self) -> int:
        """Number of weights."""
        return sum(int(np.prod(shape)) for shape in self.shapes.values())

    def named(self, vector: np.ndarray) -> dict[str, np.ndarray]:
        """Return weights by name, from one vector of all of them."""
        found, begin = {}, 0
        for name, shape in self.shapes.items():
            n = int(np.prod(shape))
            found[name] = vector[begin : begin + n].reshape(shape)
            begin += n
        return found

    def jacobian(self, x: np.ndarray, vector: np.ndarray) -> np.ndarray:
        """Return the derivative of the coordinates, shape (n_basin, n_free, n_weight)."""
        return np.concatenate(self.slopes(x, self.named(vector)), axis=2)


@dataclass(frozen=True)
class FeatureMapping(AbstractMapping):
    """Linear in features of the attributes.

    Attributes
    ----------
    features : callable or None
        From attributes (n_basin, n_attribute) to features (n_basin, n_feature); None are the
        attributes themselves.
    n_feature : int
    """

    n_feature: int
    features: Callable | None = None

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        return {"intercept": (self.n_free,), "weights": (self.n_feature, self.n_free)}

    def start(self, rng: np.random.Generator) -> dict[str, np.ndarray]:
        return {"weights": np.zeros(self.shapes["weights"])}

    def of_attributes(self, x: Any) -> Any:
        """Return the features."""
        return x if self.features is None else self.features(x)

    def __call__(self, x: Any, weights: Mapping[str, Any], math: Any = np) -> Any:
        return weights["intercept"] + self.of_attributes(x) @ weights["weights"]

    def slopes(self, x: np.ndarray, weights: Mapping[str, np.ndarray]) -> list[np.ndarray]:
        identity = np.eye(self.n_free)
        by_weights = np.einsum("na,jk->njak", self.of_attributes(x), identity)
        by_intercept = np.broadcast_to(identity, (len(x), *identity.shape))
        return [by_intercept, by_weights.reshape(len(x), self.n_free, -1)]


@dataclass(frozen=True)
class Network(AbstractMapping):
    """A linear mapping, and beside it one layer of `hidden` nodes with hyperbolic tangents."""

    hidden: int = HIDDEN

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        return {
            "intercept": (self.n_free,),
            "weights": (self.n_attribute, self.n_free),
            "inner_intercept": (self.hidden,),
            "inner_weights": (self.n_attribute, self.hidden),
            "outer_weights": (self.hidden, self.n_free),
        }

    def start(self, rng: np.random.Generator) -> dict[str, np.ndarray]:
        inner = rng.standard_normal((self.n_attribute, self.hidden))
        outer = rng.standard_normal((self.hidden, self.n_free))
        return {
            "weights": np.zeros(self.shapes["weights"]),
            "inner_intercept": np.zeros(self.hidden),
            "inner_weights": inner / np.sqrt(max(self.n_attribute, 1)),
            "outer_weights": 0.3 * outer / np.sqrt(self.hidden),
        }

    def __call__(self, x: Any, weights: Mapping[str, Any], math: Any = np) -> Any:
        inner = math.tanh(weights["inner_intercept"] + x @ weights["inner_weights"])
        linear = weights["intercept"] + x @ weights["weights"]
        return linear + inner @ weights["outer_weights"]

    def slopes(self, x: np.ndarray, weights: Mapping[str, np.ndarray]) -> list[np.ndarray]:
        n, identity, outer = len(x), np.eye(self.n_free), weights["outer_weights"]
        inner = np.tanh(weights["inner_intercept"] + x @ weights["inner_weights"])
        rise = 1 - inner * inner
        return [
            np.broadcast_to(identity, (n, *identity.shape)),
            np.einsum("na,jk->njak", x, identity).reshape(n, self.n_free, -1),
            np.einsum("nh,hj->njh", rise, outer),
            np.einsum("na,nh,hj->njah", x, rise, outer).reshape(n, self.n_free, -1),
            np.einsum("nh,jk->njhk", inner, identity).reshape(n, self.n_free, -1),
        ]


@dataclass(frozen=True, eq=False)
class KernelFeatures:
    """Features whose linear functions are a Gaussian process about a linear trend.

    With weights that are independent and normal, the values at the centres have exactly the
    covariance of the trend plus that of a squared exponential kernel.

    Attributes
    ----------
    centers : array, shape (n_center, n_attribute)
        Scaled attributes of the basins that were trained on.
    length : float
        Scale of the kernel, in units of scaled attributes.
    """

    centers: np.ndarray
    length: float

    @classmethod
    def around(cls, x: np.ndarray) -> "KernelFeatures":
        """Return the features of basins; half of their median distance is the length."""
        distances = np.sqrt(_squared_distances(x, x))
        apart = distances[np.triu_indices(len(x), 1)]
        return cls(x, LENGTH * float(np.median(apart)) if apart.size else 1.0)

    @property
    def size(self) -> int:
        """Number of features."""
        return sum(self.centers.shape)

    def __call__(self, x: Any) -> Any:
        math: Any = np
        if not isinstance(x, np.ndarray):
            import pytensor.tensor as math
        scale = -0.5 / self.length**2
        among = np.exp(scale * _squared_distances(self.centers, self.centers))
        root = np.linalg.cholesky(among + JITTER * np.eye(len(among)))
        across = math.exp(scale * _squared_distances(x, self.centers))
        return math.concatenate([x, HEIGHT * across @ np.linalg.inv(root).T], axis=1)


def _squared_distances(x, y):
    difference = x[:, None, :] - y[None, :, :]
    return (difference * difference).sum(axis=-1)


def _linear(x: np.ndarray, n_free: int) -> AbstractMapping:
    return FeatureMapping(x.shape[1], n_free, x.shape[1])


def _network(x: np.ndarray, n_free: int) -> AbstractMapping:
    return Network(x.shape[1], n_free)


def _gaussian_process(x: np.ndarray, n_free: int) -> AbstractMapping:
    features = KernelFeatures.around(x)
    return FeatureMapping(x.shape[1], n_free, features.size, features)


MAPPINGS = {"linear": _linear, "mlp": _network, "gp": _gaussian_process}


def define_mapping(kind: str | Callable, x: np.ndarray, n_free: int) -> AbstractMapping:
    """Return a mapping for basins that are trained on.

    Parameters
    ----------
    kind : {"linear", "mlp", "gp"} or callable
        A function from scaled attributes (n_basin, n_attribute) to features (n_basin, n_feature)
        gives a mapping that is linear in these features.
    x : array, shape (n_basin, n_attribute)
        Scaled attributes.
    n_free : int

    Raises
    ------
    KeyError, ValueError
        If there is no such mapping, or the features have another shape.
    """
    if callable(kind):
        found = np.asarray(kind(x), dtype=float)
        if found.ndim != 2 or len(found) != len(x) or not np.isfinite(found).all():
            raise ValueError(
                f"mapping: the function must return finite features of shape ({len(x)}, "
                f"n_feature), found shape {found.shape}"
            )
        return FeatureMapping(x.shape[1], n_free, found.shape[1], kind)
    if kind not in MAPPINGS:
        raise KeyError(
            f"unknown mapping {kind!r}; known are {', '.join(MAPPINGS)}, or give a function from "
            "attributes to features"
        )
    return MAPPINGS[kind](x, n_free)
