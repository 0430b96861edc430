"""Lines of text with indentation, and the operations of a program as statements."""

from pymc_hydro.engine.derivation.system import (
    COTANGENT,
    INTERVAL,
    ORDINATE_END,
    ORDINATE_START,
    RUN,
    STAGE,
    System,
)

__all__ = ["Emitter", "Text", "clean", "emit_rates"]


class Text:
    """Lines of source; each line is indented as far as the blocks that are open."""

    def __init__(self):
        self.lines: list[str] = []
        self.starts: list[int] = []  # of the blocks that are open

    def __call__(self, line: str = "") -> None:
        """Append a line."""
        self.lines.append("    " * len(self.starts) + line if line else "")

    def block(self, head: str) -> "Text":
        """Append the head of a block, to be used with ``with``; an empty block becomes `pass`."""
        self(head)
        return self

    def __enter__(self):
        self.starts.append(len(self.lines))

    def __exit__(self, *_):
        if len(self.lines) == self.starts[-1]:
            self("pass")
        self.starts.pop()


def clean(name: str) -> str:
    """Return the name of a state as a part of an identifier."""
    return name.replace(" ", "_")


class Emitter:
    """Names, operations and their text: common to all functions generated from one system."""

    def __init__(self, system: System):
        self.system, self.program = system, system.program
        self.text = Text()
        self.parameters = system.model.parameter_names
        self.stores = {*system.model.store_names, *system.held}

    def emit_failed_run(self, n_output: int) -> None:
        """Write the results of a run that failed, inside a block that is reached then.

        NaN in all intervals: a series that is finite up to the failure would look like a result.
        """
        text = self.text
        with text.block("for k in range(n_time):"):
            with text.block(f"for o in range({n_output}):"):
                text("values[k, o] = nan")
                with text.block("for j in range(n_column):"):
                    text("jacobian[k, o, j] = nan")

    def ref(self, number: int) -> str:
        """Return the text by which other statements refer to a node."""
        op, *args = self.program.nodes[number]
        if op == "constant":
            return f"({args[0]!r})" if args[0] < 0 else repr(args[0])
        if op == "symbol":
            if args[0] in (ORDINATE_START, ORDINATE_END):
                return args[0]
            if args[0].startswith(COTANGENT):
                return f"k_{clean(args[0].removeprefix(COTANGENT))}"
            kind = "p" if args[0] in self.parameters else "y" if args[0] in self.stores else "u"
            return f"{kind}_{args[0]}"
        return f"v{number}"

    def needed(self, targets) -> set[int]:
        """Return all nodes that the nodes `targets` are computed from, `targets` included."""
        return self.program.needed(targets)

    def compute(self, numbers, level: int) -> None:
        """Write the operations among `numbers` that have this level, in the order of the author."""
        infix = {"add": "+", "sub": "-", "mul": "*", "div": "/"}
        for number in sorted(numbers):
            op, *args = self.program.nodes[number]
            if op in ("constant", "symbol") or self.system.levels[number] != level:
                continue
            values = [self.ref(a) for a in args]
            if op in infix:
                self.text(f"v{number} = {values[0]} {infix[op]} {values[1]}")
            elif op == "neg":
                self.text(f"v{number} = -{values[0]}")
            elif op == "logistic":
                self.text(f"v{number} = 1.0 / (1.0 + exp(-{values[0]}))")
            elif op == "select":
                self.text(f"v{number} = {self.choice(*values)}")
            else:
                self.text(f"v{number} = {op}({', '.join(values)})")

    def choice(self, condition: str, positive: str, other: str) -> str:
        """Return the text of a value that depends on whether the condition is positive."""
        return f"{positive} if {condition} > 0.0 else {other}"

    def load_forcing(self, source: str) -> None:
        """Write the assignment of each forcing from an element of an array, such as ``u[{}]``."""
        for i, name in enumerate(self.system.model.forcing_names):
            self.text(f"u_{name} = {source.format(i)}")

    def load_parameters(self) -> None:
        """Write the assignment of each parameter from the vector `theta`."""
        for i, name in enumerate(self.parameters):
            self.text(f"p_{name} = theta[{i}]")


def emit_rates(system: System, name: str) -> str:
    """Return the text of ``name(x, u, theta, dx)`` and ``name_jacobian(x, u, theta, dx, J, B)``.

    All states of the system must be in its head. `x` and `dx` hold the stores, then the accumulated
    amounts; `u` holds the forcings, then the water that arrives from unit hydrographs.
    """
    e = Emitter(system)
    text = e.text
    for derivatives in (False, True):
        extra = ", J, B" if derivatives else ""
        suffix = "_jacobian" if derivatives else ""
        with text.block(f"def {name}{suffix}(x, u, theta, dx{extra}):"):
            e.load_parameters()
            e.load_forcing("u[{}]")
            for i, each in enumerate(system.model.hydrographs, len(system.model.forcing_names)):
                text(f"u_{each.output} = u[{i}]")
            for i, store in enumerate(system.model.store_names):
                text(f"y_{store} = x[{i}]")
            targets = list(system.rates.values())
            if derivatives:
                targets += system.jacobian.values()
            numbers = e.needed(targets)
            for level in (RUN, INTERVAL, STAGE):
                e.compute(numbers, level)
            for i, state in enumerate(system.head):
                text(f"dx[{i}] = {e.ref(system.rates[state])}")
            if derivatives:
                for (state, by), number in system.jacobian.items():
                    matrix, names = (
                        ("B", e.parameters) if by in e.parameters else ("J", system.head)
                    )
                    row = system.head.index(state)
                    text(f"{matrix}[{row}, {names.index(by)}] = {e.ref(number)}")
        text()
    return "\n".join(text.lines)
