"""Straight-line programs: value-numbered operations and their Jacobian by vertex elimination.

The Jacobian of the program's outputs is accumulated by eliminating the intermediate vertices of
its graph in order of their Markowitz degree (Griewank & Walther, 2008, Evaluating Derivatives,
chapter 9). Derivatives refer to values that are already computed, so each transcendental function
is evaluated once. The operations that compute the values stay as their author wrote them.
"""

from collections.abc import Iterable, Mapping

from pymc_hydro.core.base.expression import Expression

__all__ = ["Program"]

COMMUTATIVE = ("add", "mul")
ONE, ZERO = 1.0, 0.0
ROOT_2PI = 0.3989422804014327  # 1 / sqrt(2 pi), of the normal density


class Program:
    """A list of operations, each known by its number; equal operations have one number.

    Attributes
    ----------
    nodes : list of tuple
        ``(op, *arguments)``: numbers of earlier nodes, or the name or number of a leaf.
    """

    def __init__(self):
        self.nodes: list[tuple] = []
        self._numbers: dict[tuple, int] = {}
        self._traced: dict[int, tuple[Expression, int]] = {}  # keeps the object, and so its id

    def node(self, op: str, *args) -> int:
        """Return the number of an operation, after folding constants and exact identities."""
        folded = self._fold(op, args)
        if folded is not None:
            return folded
        key = (op, *sorted(args)) if op in COMMUTATIVE else (op, *args)
        if key not in self._numbers:
            self._numbers[key] = len(self.nodes)
            self.nodes.append((op, *args))
        return self._numbers[key]

    def constant(self, value: float) -> int:
        """Return the node of a number."""
        return self.node("constant", float(value))

    def symbol(self, name: str) -> int:
        """Return the node of a named input."""
        return self.node("symbol", name)

    def trace(self, expression: Expression) -> int:
        """Return the number of an expression."""
        if id(expression) not in self._traced:
            op, args = expression.op, expression.args
            if op not in ("constant", "symbol"):
                args = tuple(self.trace(a) for a in args)
            self._traced[id(expression)] = (expression, self.node(op, *args))
        return self._traced[id(expression)][1]

    def value(self, number: int) -> float | None:
        """Return the number that a node is, if it is a constant."""
        op, *args = self.nodes[number]
        return args[0] if op == "constant" else None

    def needed(self, targets: Iterable[int]) -> set[int]:
        """Return all nodes that the nodes `targets` are computed from, `targets` included."""
        seen: set[int] = set()
        todo = list(targets)
        while todo:
            number = todo.pop()
            if number not in seen:
                seen.add(number)
                op, *args = self.nodes[number]
                if op not in ("constant", "symbol"):
                    todo += args
        return seen

    def is_zero(self, number: int) -> bool:
        """Return whether a node is the constant zero."""
        return self.value(number) == ZERO

    def _fold(self, op, args):
        if op in ("constant", "symbol"):
            return None
        values = [self.value(a) for a in args]
        if op == "select":
            if args[1] == args[2]:
                return args[1]
            return None if values[0] is None else args[1] if values[0] > ZERO else args[2]
        if op == "neg":
            inner = self.nodes[args[0]]
            if values[0] is not None:
                return self.constant(-values[0])
            return inner[1] if inner[0] == "neg" else None
        if op not in ("add", "sub", "mul", "div"):
            return None
        a, b = values
        if a is not None and b is not None and not (op == "div" and b == ZERO):
            return self.constant(
                {"add": a + b, "sub": a - b, "mul": a * b}[op] if op != "div" else a / b
            )
        if op == "add" and (self._negates(*args) or self._negates(*reversed(args))):
            return self.constant(ZERO)
        if op == "add":
            return args[1] if a == ZERO else args[0] if b == ZERO else None
        if op == "sub":
            return args[0] if b == ZERO else self.node("neg", args[1]) if a == ZERO else None
        if op == "mul":
            if ZERO in (a, b):
                return self.constant(ZERO)
            if -ONE in (a, b):
                return self.node("neg", args[1] if a == -ONE else args[0])
            return args[1] if a == ONE else args[0] if b == ONE else None
        return self.constant(ZERO) if a == ZERO else args[0] if b == ONE else None

    def _negates(self, a: int, b: int) -> bool:
        return self.nodes[a] == ("neg", b)

    def _partials(self, number: int) -> list[tuple[int, int]]:
        """Return (argument, partial derivative) for each argument of a node."""
        op, *args = self.nodes[number]
        one = self.constant(ONE)
        if op in ("constant", "symbol"):
            return []
        if op == "add":
            return [(args[0], one), (args[1], one)]
        if op == "sub":
            return [(args[0], one), (args[1], self.constant(-ONE))]
        if op == "mul":
            return [(args[0], args[1]), (args[1], args[0])]
        if op == "div":
            inverse = self.node("div", one, args[1])
            slope = self.node("neg", self.node("mul", number, inverse))
            return [(args[0], inverse), (args[1], slope)]
        if op == "neg":
            return [(args[0], self.constant(-ONE))]
        if op == "select":
            zero = self.constant(ZERO)
            above = self.node("select", args[0], one, zero)
            return [(args[1], above), (args[2], self.node("select", args[0], zero, one))]
        if op == "exp":
            slope = number
        elif op == "expm1":
            slope = self.node("add", number, one)
        elif op == "log":
            slope = self.node("div", one, args[0])
        elif op == "log1p":
            slope = self.node("div", one, self.node("add", one, args[0]))
        elif op == "sqrt":
            slope = self.node("div", self.constant(0.5), number)
        elif op == "sin":
            slope = self.node("cos", args[0])
        elif op == "cos":
            slope = self.node("neg", self.node("sin", args[0]))
        elif op == "ndtr":
            half = self.node("mul", self.constant(-0.5), self.node("mul", args[0], args[0]))
            slope = self.node("mul", self.constant(ROOT_2PI), self.node("exp", half))
        elif op == "gammainc":
            return [
                (a, self.node(f"gammainc_d{n}", *args)) for a, n in zip(args, "ax", strict=True)
            ]
        elif op == "logistic":
            slope = self.node("mul", number, self.node("sub", one, number))
        elif op == "tanh":
            slope = self.node("sub", one, self.node("mul", number, number))
        else:
            raise NotImplementedError(f"no derivative is known for the operation {op!r}")
        return [(args[0], slope)]

    def jacobian(
        self, outputs: Mapping[str, int], inputs: Iterable[str]
    ) -> dict[tuple[str, str], int]:
        """Return the structurally non-zero derivatives of `outputs` with respect to `inputs`.

        Parameters
        ----------
        outputs : mapping of name to node
        inputs : iterable of str
            Names of symbols.

        Returns
        -------
        dict of (output, input) to node
        """
        sources = {self.symbol(name): name for name in inputs}
        active = dict.fromkeys(sources, True)
        for number in range(len(self.nodes)):
            op, *args = self.nodes[number]
            if op not in ("constant", "symbol"):
                active[number] = any(active.get(a, False) for a in args)
        before: dict = {}
        after: dict = {}

        def connect(u, v, partial):
            edges = before.setdefault(v, {})
            total = self.node("add", edges[u], partial) if u in edges else partial
            if self.is_zero(total):
                edges.pop(u, None)
                after.get(u, {}).pop(v, None)
            else:
                edges[u] = total
                after.setdefault(u, {})[v] = None

        todo = [n for n in outputs.values() if active.get(n, False)]
        reached = set()
        while todo:
            number = todo.pop()
            if number in reached:
                continue
            reached.add(number)
            for argument, partial in self._partials(number):
                if active.get(argument, False):
                    connect(argument, number, partial)
                    todo.append(argument)
        for name, number in outputs.items():
            if active.get(number, False):
                connect(number, ("output", name), self.constant(ONE))

        inner = {n for n in reached if n not in sources}
        while inner:
            v = min(inner, key=lambda n: (len(before.get(n, {})) * len(after.get(n, {})), -n))
            inner.remove(v)
            for w in list(after.get(v, {})):
                step = before[w].pop(v)
                for u, partial in before.get(v, {}).items():
                    connect(u, w, self.node("mul", step, partial))
            for u in before.pop(v, {}):
                after[u].pop(v, None)
            after.pop(v, None)
        return {
            (name, sources[u]): partial
            for name in outputs
            for u, partial in before.get(("output", name), {}).items()
        }
