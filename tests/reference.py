"""Integrators that share no code with the kernels: the flux function, SciPy and NumPy.

They evaluate the declared flux function itself, with real or complex numbers.
"""

import numpy as np
from scipy.integrate import solve_ivp
from scipy.linalg import expm

from pymc_hydro.data.schema import interval_length
from pymc_hydro.engine.derive import derive
from pymc_hydro.engine.simulate import forcing_array

COMPLEX_STEP = 1e-40


def rates(model, outputs, x, u, p):
    """Return the rates of stores and of accumulated outputs, straight from the flux function."""
    fluxes = model.evaluate(dict(zip(model.store_names, x, strict=False)), u, p)
    stores = list(model.right_hand_side(fluxes).values())
    table = model.output_table
    return stores + [sum(fluxes[t] for t in table[o].terms) for o in outputs]


def propagators(A, h):
    """Return E, W0, W1, Wm by SciPy's matrix exponential of the system with its parabola."""
    n = A.shape[0]
    zero, one = np.zeros((n, n)), np.eye(n)
    M = np.block(
        [
            [A, one, zero, zero],
            [zero, zero, one / h, zero],
            [zero, zero, zero, 2 * one / h],
            [zero, zero, zero, zero],
        ]
    )
    E, constant, linear, square = np.hsplit(expm(M * h)[:n], 4)
    # parabola with start g0, end g1, mean gm: g0 + (6gm - 4g0 - 2g1) t + 3 (g0 + g1 - 2gm) t^2
    W0 = constant - 4 * linear + 3 * square
    W1 = -2 * linear + 3 * square
    Wm = 6 * linear - 6 * square
    return E, W0, W1, Wm


def fixed_steps(model, theta, basin, method, steps, outputs=("discharge",)):
    """Integrate with fixed steps, for one complex or real vector of parameters.

    Returns the interval means of the flux `outputs`, shape (n_time, n_output).
    """
    system = derive(model, model.select_outputs(outputs))
    names = [*model.store_names, *(f"amount of {o}" for o in outputs)]
    head = [names.index(n) for n in system.head]
    linear = [names.index(n) for n in system.linear]
    forcing, dt = forcing_array(model, basin), interval_length(basin)
    p = dict(zip(model.parameter_names, theta, strict=True))
    x = np.concatenate([model.initial_state, np.zeros(len(outputs))]).astype(complex)
    h = dt / steps

    def f(state, u):
        return np.array(rates(model, outputs, state, u, p))

    u = dict(zip(model.forcing_names, forcing[0], strict=True))
    base = np.where(np.isin(np.arange(x.size), linear), 0, 1.0)
    A = np.array([(f(base + np.eye(x.size)[i], u) - f(base, u))[linear] for i in linear]).T
    E, W0, W1, Wm = propagators(A, h)
    result = np.empty((len(forcing), len(outputs)), dtype=complex)
    for k, row in enumerate(forcing):
        u = dict(zip(model.forcing_names, row, strict=True))
        x[len(model.stores) :] = 0
        for _ in range(steps):
            slopes = []
            for coefficients in method.a:
                stage = x.copy()
                stage[linear] = 0
                for c, slope in zip(coefficients, slopes, strict=True):
                    stage[head] += h * c * slope[head]
                slopes.append(f(stage, u))
            mean = sum(b * slope for b, slope in zip(method.b, slopes, strict=True))
            x[head] += h * mean[head]
            g0, g1, gm = slopes[0][linear], slopes[-1][linear], mean[linear]
            x[linear] = E @ x[linear] + W0 @ g0 + W1 @ g1 + Wm @ gm
        result[k] = x[len(model.stores) :] / dt
    return result


def complex_step_jacobian(model, theta, basin, method, steps):
    """Return the derivative of discharge by complex step, shape (n_time, n_parameter)."""
    columns = []
    for j in range(theta.size):
        moved = theta.astype(complex)
        moved[j] += 1j * COMPLEX_STEP
        columns.append(fixed_steps(model, moved, basin, method, steps)[:, 0].imag / COMPLEX_STEP)
    return np.stack(columns, axis=-1)


def solve_with_scipy(model, theta, basin, rtol=1e-11, atol=1e-11):
    """Return discharge by SciPy's DOP853, restarted at each interval, shape (n_time,)."""
    forcing, dt = forcing_array(model, basin), interval_length(basin)
    p = dict(zip(model.parameter_names, theta, strict=True))
    x = np.append(model.initial_state, 0.0)
    discharge = []
    for row in forcing:
        u = dict(zip(model.forcing_names, row, strict=True))
        x[-1] = 0
        solution = solve_ivp(
            lambda t, y, u=u: np.array(rates(model, ("discharge",), y, u, p)),
            (0, dt),
            x,
            method="DOP853",
            rtol=rtol,
            atol=atol,
        )
        assert solution.success
        x = solution.y[:, -1]
        discharge.append(x[-1] / dt)
    return np.array(discharge)
