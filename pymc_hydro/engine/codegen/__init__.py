"""From equations to the text of a kernel.

A kernel integrates one run of one model: all intervals of a record, values and sensitivities.
`step.emit_kernel` writes its text. The other files of this room write a part each: `stages` the
values at the stages of a step, `columns` the sensitivities over a step, `linear` the states that
are advanced exactly, `routing` the unit hydrograph. `print(ph.source(ph.Hymod(snow=False)))` shows
such a text; the page "A kernel, read from top to bottom" explains one.

**Words**

- *head*, *linear*, *driven*: a Runge-Kutta method advances the head states. The linear states are
  advanced exactly. A driven state is a linear state that receives water from the head.
- *rate*: the change per day of a state, or of a sensitivity.
- *section*: a head and the linear states that it feeds. Most models have one. Where a head state
  depends on linear states, it is in a section of its own: a step goes through all stages of one
  section, then of the next one. (`Segment`: a section in the text.)
- *share*: where several linear states receive shares of one flux, the first of them is driven by
  the flux, and the weights W are multiplied with the shares.
- *row*: a state whose rate is evaluated at the stages: head states, then driven states. In the
  array `work`, a row is one quantity for all columns.
- *column*: the sensitivities with respect to one parameter, or to one initial content.
- *inner*, *outer*: the entries of J (derivatives of rates by head states), and the entries of B
  (derivatives of rates by parameters).
- *slopes*, *effects*: the entries of J, and the entries of B, that change from stage to stage. The
  other entries change from interval to interval at most.
- *block*: head states whose equations are solved together. J is block lower triangular, and most
  blocks are one state. (`Text.block` is something else: indented lines.)
- *method*, *stage*: a step of length h takes one method, and evaluates the rates at its stages.
- *level*: of a node of the program, how often it is evaluated (once a run, once an interval, at
  each stage); of a step, how often its length was halved.

**Values in the text**

| name | meaning |
|---|---|
| `p_`, `u_` | a parameter, a forcing of the interval |
| `v1` ... | a node of the program: an operation of the flux function or of its derivatives |
| `x_`, `l_` | a head state, a linear state, at the start of the step |
| `n_` | a state at the end of the step |
| `y_`, `c_` | a head state at the stage, and its known part: `y = c + gh f(y)` |
| `gh` | `h` times the diagonal coefficient of the stage; zero in an explicit stage |
| `r_`, `d_` | the residual of this equation, and the correction by Newton's method |
| `j_i_k`, `f_i_k` | entries of J, and of the factors of `I - gh J`; `j1_i_k`, `f1_i_k` at stage 1 |
| `share_` | the largest share of the flux of a driven state |
| `node`, `carried` | arrays: linear states at the stages, and nodes, that a later section reads |
| `rate`, `slope` | arrays: the rate of each row, and each of the slopes, at each stage |
| `e_` | the estimated error of a row |
| `g0_`, `g1_`, `gm_` | the inflow of a driven state at the step's start, at its end, and the mean |
| `E_i_k` | entries of the matrix exponential, which multiply the contents |
| `W0_i_k`, `W1_i_k`, `Wm_i_k` | the same for `g0_k`, `g1_k`, `gm_k` |
| `table` | array: E, W0, W1, Wm and their derivatives, for each level of a step |
| `flat`, `at` | the same array with one axis, and where the propagator of a step begins in it |
| `A`, `C` | arrays: the matrix of the linear states, the shares of fluxes; `dA`, `dC` derivatives |
| `A0`, `table0` ... | the same of a section that others follow; `E1_i_k`, `W01_i_k` at stage 1 |

**Sensitivities in the text**

| name | meaning |
|---|---|
| `place` | array: the column of each parameter, then of each initial content |
| `work` | array: all rows one behind the other, `width` columns each |
| rows `x_`, `l_`, `n_`, `e_`, `gm_` | the sensitivities of the value of this name |
| rows `start_`, `end_` | the rates of the sensitivities at the first and at the last stage |
| rows `b_` | the entries of B that do not change within the interval |
| rows `effect of stage s on _` | the entries of B that change from stage to stage |
| rows `f_` | the contribution of the derivatives of E, W0, W1, Wm to a linear state |
| rows `tolerance`, `error` | of each column |
| `s_`, `z_` | of one column: a sensitivity at the start of the step, and at the stage |
| `k0_` ... | of one column: the rate of a sensitivity at stage 0 ... |

**Control of the steps**

| name | meaning |
|---|---|
| `level` | the length of the step is `longest * 0.5**level` |
| `position`, `n_unit` | the part of the interval that is done, and the whole, in shortest steps |
| `m`, `n_stage`, `n_most` | number of the method, its stages, the most stages of a method |
| `first`, `known` | 1 if the step before left the first stage: for values, for columns |
| `radius`, `limit` | a bound of the largest eigenvalue of J, and the largest `h * radius` allowed |
| `bad` | 1 if a stage has no solution, 2 if the explicit step would be unstable |
| `error` | the square of the error in units of the tolerance; a step is taken if it is at most 1 |
| `shortest`, `forced` | at the shortest length a step is taken although its error is larger |
| `controlled` | whether the errors of the columns count as well |
| `status`, `failed` | why the run failed (0: it did not), and in which interval |
"""

from dataclasses import dataclass

__all__ = [
    "ARGUMENTS",
    "COUNTS",
    "HELD",
    "HELD_BACK",
    "INPUT",
    "OUTPUT",
    "SETTING",
    "SIGNATURE",
    "STATUS_AND_TAPE",
    "STEPS",
    "SWEEP_ARGUMENTS",
    "Argument",
    "signature_of",
]

INPUT, SETTING, OUTPUT = "input", "setting", "output"

# The counts of a kernel, in this order; the last one is the interval of a failure, or -1.
COUNTS = (
    "steps",
    "implicit_steps",
    "rejected_steps",
    "forced_steps",
    "unsolved_stages",
    "failed_interval",
)


@dataclass(frozen=True)
class Argument:
    """An argument of a kernel.

    Attributes
    ----------
    name : str
    role : str
        INPUT of a run, SETTING of the problem, or OUTPUT that the kernel writes.
    dtype : {"f8", "i8"}
    shape : tuple of str
        Names of the axes; a number has none. Arrays are contiguous.
    meaning : str
    """

    name: str
    role: str
    dtype: str
    shape: tuple[str, ...]
    meaning: str

    @property
    def numba_type(self) -> str:
        """The type as Numba writes it, such as ``f8[:,::1]``."""
        axes = ",".join([*[":"] * (len(self.shape) - 1), "::1"])
        return f"{self.dtype}[{axes}]" if self.shape else self.dtype


TABLE = ("n_method", "n_most + 3", "n_most")
# In the order of a kernel. Every caller of a kernel takes names, types and order from here.
ARGUMENTS = (
    Argument("theta", INPUT, "f8", ("n_parameter",), "parameters, in the units of the model"),
    Argument(
        "forcing", INPUT, "f8", ("n_time", "n_forcing"), "mean of each interval, mm/d or degC"
    ),
    Argument("x0", INPUT, "f8", ("n_state",), "contents at the start, mm; NaN: theta gives it"),
    Argument(
        "place",
        SETTING,
        "i8",
        ("n_parameter + n_state",),
        "the column of each parameter, then of each content at the start; -1 for no column",
    ),
    Argument("method", SETTING, "f8", TABLE, "the coefficients of the Runge-Kutta methods"),
    Argument("dt", SETTING, "f8", (), "length of an interval in days"),
    Argument("rtol", SETTING, "f8", (), "relative tolerance"),
    Argument("atol", SETTING, "f8", (), "absolute tolerance in mm"),
    Argument("n_fixed", SETTING, "i8", (), "number of equal steps an interval; 0: error control"),
    Argument("values", OUTPUT, "f8", ("n_time", "n_output"), "outputs, in mm/d or mm"),
    Argument(
        "jacobian",
        OUTPUT,
        "f8",
        ("n_time", "n_output", "n_column"),
        "derivatives of the outputs; without columns the kernel computes values only",
    ),
    Argument("counts", OUTPUT, "i8", ("n_count",), "how often things happened: COUNTS"),
)
# Further arguments for a part of a model: the water that arrives from unit hydrographs.
HELD = (
    Argument("held", INPUT, "f8", ("n_time", "n_hydrograph"), "mean of each interval, mm/d"),
    Argument(
        "held_jacobian",
        INPUT,
        "f8",
        ("n_time", "n_hydrograph", "n_column"),
        "derivatives of what arrives",
    ),
)
# A further argument of a kernel that takes the steps of another run.
STEPS = Argument(
    "steps",
    INPUT,
    "i8",
    ("n_step + 1", "2"),
    "level and method of each step; the first row counts the steps taken, from 0",
)
_OF_KERNEL = {argument.name: argument for argument in ARGUMENTS}
# Arguments of a sweep: the run's own inputs and settings, its tape, cotangents in and out.
SWEEP_ARGUMENTS = (
    *(_OF_KERNEL[name] for name in ("theta", "forcing", "x0", "method", "dt", "n_fixed")),
    Argument("tape", INPUT, "f8", ("n_step", "n_tape"), "of the run, a row for each step taken"),
    Argument("cotangent", INPUT, "f8", ("n_time", "n_output"), "of the outputs"),
    Argument("by_theta", OUTPUT, "f8", ("n_parameter",), "cotangents of the parameters"),
    Argument("by_forcing", OUTPUT, "f8", ("n_time", "n_forcing"), "cotangents of the forcing"),
    Argument("by_x0", OUTPUT, "f8", ("n_state",), "cotangents of the contents at the start"),
)
# Further arguments for the sweep of a part of a model.
HELD_BACK = (
    Argument("by_held", OUTPUT, "f8", ("n_time", "n_hydrograph"), "cotangents of what arrives"),
)


def signature_of(arguments: tuple[Argument, ...], returns: str = "i8") -> str:
    """Return the types of a function's arguments and of its result, as Numba writes them."""
    return f"{returns}({', '.join(argument.numba_type for argument in arguments)})"


# A kernel returns its status: 0, or an index of the reasons in step.py; with a tape, both. A sweep
# returns 0.
SIGNATURE = signature_of(ARGUMENTS)
STATUS_AND_TAPE = "Tuple((i8, f8[:,::1]))"
