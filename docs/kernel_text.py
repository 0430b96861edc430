"""The text of a kernel, its arguments and the glossary of the generator, as directives of a page.

Each ``{kernel}`` directive of a page shows the text from where the one before it ended, up to the
first line that contains its argument; the last directive has the argument ``end``. So a page shows
all of the text, in order and as it is compiled. A line that is no longer there ends the build.
"""

import inspect
from collections.abc import Iterable

from docutils import nodes
from docutils.parsers.rst import Directive
from docutils.statemachine import StringList

import pymc_hydro as ph
from pymc_hydro.engine import codegen

POSITION = "position in the text of the kernel"


def kernel_lines() -> list[str]:
    """Return the lines of the kernel that the page shows."""
    return ph.source(ph.Hymod(snow=False), solver="tr_bdf2").splitlines()


def next_piece(lines: list[str], position: int, marker: str) -> int:
    """Return where the piece ends that begins at `position`; ValueError if it would be empty."""
    if marker == "end":
        return len(lines)
    for n in range(position + 1, len(lines)):
        if marker in lines[n]:
            return n
    raise ValueError(f"the kernel has no line with {marker!r} after line {position + 1}")


def pieces(markers: Iterable[str]) -> list[str]:
    """Return the pieces of the text that a page with these markers shows."""
    lines, position, found = kernel_lines(), 0, []
    for marker in markers:
        end = next_piece(lines, position, marker)
        found.append("\n".join(lines[position:end]))
        position = end
    return found


class Kernel(Directive):
    """The next piece of the text."""

    required_arguments = 1
    final_argument_whitespace = True

    def run(self):
        """Return the piece as code."""
        environment = self.state.document.settings.env
        lines, position = kernel_lines(), environment.temp_data.get(POSITION, 0)
        end = next_piece(lines, position, self.arguments[0])
        environment.temp_data[POSITION] = end
        code = "\n".join(lines[position:end]).strip("\n")
        return [nodes.literal_block(code, code, language="python")]


class _Markdown(Directive):
    """Text that is written in the code."""

    def run(self):
        """Return the parsed text."""
        parent = nodes.container()
        self.state.nested_parse(StringList(self.text().splitlines()), 0, parent)
        return parent.children

    def text(self) -> str:
        """Return the text, in Markdown."""
        raise NotImplementedError


class Arguments(_Markdown):
    """The table of the arguments of a kernel."""

    def text(self):
        """Return the table."""
        rows = ["| argument | type | shape | role | meaning |", "|---|---|---|---|---|"]
        for a in codegen.ARGUMENTS:
            shape = ", ".join(a.shape) or "a number"
            rows.append(f"| `{a.name}` | `{a.numba_type}` | {shape} | {a.role} | {a.meaning} |")
        return "\n".join(rows)


class Glossary(_Markdown):
    """The glossary of the generator, from its docstring."""

    def text(self):
        """Return the docstring without its first paragraphs."""
        return "**Words**" + inspect.getdoc(codegen).partition("**Words**")[2]


def add_directives(app) -> None:
    """Add the directives to Sphinx."""
    app.add_directive("kernel", Kernel)
    app.add_directive("kernel-arguments", Arguments)
    app.add_directive("kernel-glossary", Glossary)
