"""Options of models: their signature, their description, and what makes two models equal."""

import inspect
import pickle
import pydoc
import subprocess
import sys
from types import MappingProxyType

import numpy as np
import pytest

import pymc_hydro as ph
from pymc_hydro.core.base.options import document_options, freeze, full_signature
from pymc_hydro.engine.compile import kernel_source
from tests.tiny import Leaky, Numbered, Tiny

COMMON = ("snow", "bands", "formulation", "initial")


@pytest.mark.parametrize("cls", [*ph.MODELS, Leaky])
def test_signature_and_help_name_every_option(cls):
    names = tuple(inspect.signature(cls).parameters)
    assert set(names) >= set(COMMON)
    text = pydoc.plain(pydoc.render_doc(cls))
    call = " ".join(text[: text.index(cls.__doc__[:30])].split())
    for name in names:
        assert f" {name}: " in call or f" {name}=" in call
    for name in COMMON:
        assert cls.__doc__.count(f"\n{name} : ") == 1


def test_own_options_stand_first_and_are_inherited():
    own = ("form", "n_1", "n_2")
    assert tuple(inspect.signature(ph.GR4J).parameters) == (*own, *COMMON)
    assert tuple(inspect.signature(Leaky).parameters) == ("weights", *own, *COMMON)
    assert "\nn_1, n_2 : int\n" in Leaky.__doc__
    found = inspect.signature(Numbered)
    assert tuple(found.parameters) == ("n", *COMMON)
    assert found.parameters["n"].kind is inspect.Parameter.POSITIONAL_OR_KEYWORD
    assert Numbered.__doc__.index("\nn : int") < Numbered.__doc__.index("\nsnow : bool")


def test_signature_without_options_is_its_own():
    class Base:
        def __init__(self, a, *, b=1):
            pass

    class Fixed(Base):
        def __init__(self, *values, c=2):
            super().__init__(1)

    assert str(full_signature(Fixed)) == "(*values, c=2)"

    class Open(Base):
        def __init__(self, a, *, c=2, **options):
            pass

    class Further(Open):
        def __init__(self, *, d=3, **options):
            pass

    assert str(full_signature(Open)) == "(a, *, c=2, b=1)"
    assert str(full_signature(Further)) == "(*, d=3, a, c=2, b=1)"


def test_inherited_options_are_described_before_the_notes():
    base = "Base.\n\nParameters\n----------\nx, y : int\n    Two.\nz : int\n    Three.\n"
    doc = document_options("Mine.\n\nNotes\n-----\nSo.", [base], ["y", "z"])
    assert doc == (
        "Mine.\n\nParameters\n----------\nx, y : int\n    Two.\nz : int\n    Three.\n\n"
        "Notes\n-----\nSo."
    )
    assert document_options(doc, [base], ["x", "z"]) == doc
    assert document_options("Mine.", [base], []) == "Mine."


@pytest.mark.parametrize(
    ("cls", "options", "message"),
    [
        (ph.Hymod, {"sno": False}, "Hymod: unknown argument 'sno'; did you mean 'snow'"),
        (ph.GR4J, {"forn": "B"}, "did you mean 'form'"),
        (Leaky, {"wieghts": [1]}, "did you mean 'weights'"),
    ],
)
def test_unknown_options(cls, options, message):
    with pytest.raises(TypeError, match=message):
        cls(**options)


def test_options_without_effect():
    for cls, options in ((ph.Hymod, {"snow": False}), (Tiny, {})):
        with pytest.raises(ValueError, match="bands have no effect without snow"):
            cls(bands=(0.0, 100.0), **options)
    with pytest.raises(ValueError, match="n_1 and n_2 have no effect in form 'B'"):
        ph.GR4J(form="B", n_1=3)


def test_initial_in_another_order_is_the_same_model():
    one = ph.SacSma(snow=False, initial={"U_t": "estimate", "L_t": "estimate", "U_f": 0.5})
    two = ph.SacSma(
        snow=False, initial=MappingProxyType({"U_f": 0.5, "L_t": "estimate", "U_t": "estimate"})
    )
    assert one == two and hash(one) == hash(two) and pickle.loads(pickle.dumps(two)) == one
    assert one.parameter_names[-2:] == two.parameter_names[-2:] == ("U_t_0", "L_t_0")
    assert kernel_source(one, ("discharge",)) == kernel_source(two, ("discharge",))
    assert one != ph.SacSma(snow=False, initial={"U_t": "estimate", "L_t": "estimate"})


def test_options_of_a_subclass_are_part_of_its_identity():
    models = [Leaky(weights=[1, 2]), Leaky(weights=(1, 2)), Leaky(weights=np.array([1, 2]))]
    assert len(set(models)) == 1
    assert len({*models, Leaky(), Leaky(weights=[2, 1]), Leaky(weights=[1, 2], n_1=3)}) == 4
    assert Leaky() == Leaky(form="A", n_2=4) != ph.GR4J()
    weights = [1, 2]
    model = Leaky(weights=weights)
    weights.append(3)
    assert pickle.loads(pickle.dumps(model)).weights == (1, 2)
    assert freeze({"a": [1, {"b": {2}}]}) == freeze({"a": (1, {"b": {2}})})
    with pytest.raises(TypeError, match="Leaky: an option is not hashable"):
        Leaky(weights=(bytearray(1),))


def test_choices_of_earlier_versions_still_tell_models_apart():
    class Former(Tiny):
        def __init__(self, *, power=2, **options):
            self.choices = {"power": float(power)}
            super().__init__(**options)

    assert Former(power=1) == Former(power=1.0) != Former()
    assert Former(power=1).options["power"] == 1.0


def test_subclasses_pickle_into_another_process():
    for model in (Leaky(weights=[1, 2], snow=False), Numbered(3)):
        code = (
            "import pickle, sys; model = pickle.load(sys.stdin.buffer);"
            "sys.stdout.buffer.write(pickle.dumps((model, model.store_names, hash(model) == "
            "hash(pickle.loads(pickle.dumps(model))))))"
        )
        done = subprocess.run(
            [sys.executable, "-c", code],
            input=pickle.dumps(model),
            stdout=subprocess.PIPE,
            check=True,
        )
        assert pickle.loads(done.stdout) == (model, model.store_names, True)


def test_a_class_that_needs_an_argument_is_checked_when_it_is_made():
    model = Numbered(2)
    assert model.store_names == ("S", "N1", "N2") and model == Numbered(n=2) != Numbered(3)
    with pytest.raises(TypeError, match="missing 1 required positional argument: 'n'"):
        Numbered()

    class Broken(Numbered):
        flows = ()

        def fluxes(self, s, u, p):
            return super().fluxes(s, u, p) | {"lost": p.k * s.S}

    with pytest.raises(ValueError, match="fluxes\\(\\) returns 'lost'"):
        Broken(2)


def test_a_base_that_models_share_leaves_out_what_it_likes():
    class Shared(ph.core.AbstractModel):
        """Without parameters, and with a law for its subclasses to give."""

        stores, flows, outputs = Tiny.stores, Tiny.flows, Tiny.outputs

        def fluxes(self, s, u, p):
            return {"rain": u.precipitation, "f": self.law(s, p), "o": p.k * s.R}

        def law(self, s, p):
            raise NotImplementedError("give the law of the first store")

    with pytest.raises(NotImplementedError, match=r"Shared is not complete: .* no parameters; "):
        Shared()

    class WithParameters(Shared):
        parameters = Tiny.parameters

    with pytest.raises(NotImplementedError, match="give the law of the first store"):
        WithParameters()

    class Whole(WithParameters):
        def law(self, s, p):
            return p.a * s.S

    assert Whole().parameter_names == ("a", "k")

    class Nothing(ph.core.AbstractModel):
        parameters, stores, flows, outputs = (
            Tiny.parameters, Tiny.stores, Tiny.flows, Tiny.outputs,
        )  # fmt: skip

    with pytest.raises(NotImplementedError, match="Nothing: define fluxes"):
        Nothing()
