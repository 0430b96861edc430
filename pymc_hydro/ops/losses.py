"""The losses of many basins as an Op: a value for each basin, and cotangents by basin."""

import pytensor.tensor as pt
from pytensor.gradient import DisconnectedType, disconnected_type, grad_not_implemented
from pytensor.graph.basic import Apply

from pymc_hydro.ops.simulation import NO_SECOND_DERIVATIVE, AbstractSimulation

__all__ = ["LossesOfBasins"]


class LossesOfBasins(AbstractSimulation):
    """Losses and their gradients: (theta) -> losses (n_basin,), gradients (n_basin, n_parameter).

    Both come from one integration of each basin, always.

    Parameters
    ----------
    losses : pymc_hydro.calibration.basins.losses.BasinLosses
        With `names`, `problem`, and a call that returns both.
    """

    __props__ = ("losses",)
    __str__ = AbstractSimulation.__str__
    gufunc_signature = "(b,p)->(b),(b,p)"

    def __init__(self, losses):
        self.losses, self.problem = losses, losses.problem

    def make_node(self, theta):
        theta = pt.cast(pt.as_tensor_variable(theta), "float64")
        shape = len(self.losses.names), len(self.problem.model.parameters)
        fits = theta.type.ndim == 2 and all(
            found in (None, n) for found, n in zip(theta.type.shape, shape, strict=True)
        )
        if not fits:
            raise TypeError(f"{self}: theta must have shape {shape}, found {theta.type}")
        outputs = [pt.tensor(dtype="float64", shape=s) for s in (shape[:1], shape)]
        return Apply(self, [theta], outputs)

    def perform(self, node, inputs, output_storage):
        output_storage[0][0], output_storage[1][0] = self.losses(inputs[0])

    def infer_shape(self, *arguments):
        (shape,) = arguments[-1]
        return [shape[:1], shape]

    def pullback(self, inputs, outputs, cotangents):
        of_losses, of_gradients = cotangents
        if not isinstance(of_gradients.type, DisconnectedType):
            return [grad_not_implemented(self, 0, inputs[0], NO_SECOND_DERIVATIVE)]
        if isinstance(of_losses.type, DisconnectedType):
            return [disconnected_type()]
        gradients = self(*inputs)[1] if outputs is None else outputs[1]
        return [of_losses[:, None] * gradients]
