"""The page of the annotated kernel and the glossary say what the text of kernels says."""

import ast
import importlib.util
import re
from pathlib import Path

import pytest

import pymc_hydro as ph
from pymc_hydro.engine import codegen

DOCS = Path(__file__).parent.parent.parent / "docs"


@pytest.fixture(scope="module")
def kernel_text():
    pytest.importorskip("docutils")
    spec = importlib.util.spec_from_file_location("kernel_text", DOCS / "kernel_text.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_shows_all_of_the_kernel(kernel_text):
    page = (DOCS / "kernels.md").read_text(encoding="utf-8")
    markers = re.findall(r"^```\{kernel\} (.*)$", page, re.MULTILINE)
    shown = "\n".join(kernel_text.pieces(markers))
    assert markers[-1] == "end" and len(markers) > 15
    assert shown == ph.source(ph.Hymod(snow=False), solver="tr_bdf2").rstrip("\n")
    for name in re.findall(r"`(codegen/\w+\.py)`", page):
        assert (Path(codegen.__file__).parent.parent / name).exists()


def test_a_line_that_is_gone_is_said(kernel_text):
    with pytest.raises(ValueError, match="the kernel has no line with 'level = 7'"):
        kernel_text.pieces(["level = 7"])


@pytest.mark.parametrize("model", [ph.Hymod(), ph.SacSma(snow=False)], ids=["Hymod", "SacSma"])
def test_every_prefix_of_a_name_is_in_the_glossary(model):
    """Names such as f1_S_u_S_u: of a state, a parameter or a forcing."""
    glossary = set(re.findall(r"`([^`]+)`", codegen.__doc__))
    known = {re.match(r"[A-Za-z]+", name)[0] for name in glossary if "_" in name}
    ends = (*model.store_names, *model.parameter_names, *model.forcing_names)
    ends = [*ends, "amount_of_discharge"]
    body = ast.parse(ph.source(model)).body[-1]
    names = {n.id for n in ast.walk(body) if isinstance(n, ast.Name)}
    found = {}
    for name in names:
        for end in ends:
            if name.endswith(f"_{end}"):
                found[re.match(r"[A-Za-z]+", name)[0]] = name
    assert len(found) > 10
    assert set(found) <= known, {k: v for k, v in found.items() if k not in known}


def test_arguments_of_the_text_are_those_of_the_table():
    body = ast.parse(ph.source(ph.Hymod(snow=False))).body[-1]
    assert [a.arg for a in body.args.args] == [a.name for a in codegen.ARGUMENTS]
    assert codegen.SIGNATURE.startswith("i8(f8[::1], f8[:,::1], f8[::1], i8[::1], f8[:,:,::1], f8,")
    roles = [a.role for a in codegen.ARGUMENTS]
    assert roles == sorted(roles, key=[codegen.INPUT, codegen.SETTING, codegen.OUTPUT].index)
