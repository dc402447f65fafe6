"""Risk: what each factor is of a source, and which module comes first."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest

from nomock.quality.risk import Depth, Module, assess
from nomock.quality.risk.calls import callers
from nomock.quality.risk.complexity import functions_of
from nomock.quality.risk.imports import importers
from nomock.quality.risk.sources import ServiceSources, services_by_file


@pytest.mark.parametrize(
    ("body", "number"),
    [
        ("return 1", 1),
        ("if a: return 1\nelif b: return 2\nelse: return 3", 3),
        ("for x in y:\n  while z: pass", 3),
        ("return a and b or c", 3),
        ("return 1 if a else 2", 2),
        ("return [x for x in y if x if z]", 4),
        ("try: a()\nexcept B: pass\nexcept C: pass\nfinally: d()", 3),
        ("match a:\n  case 1: pass\n  case _: pass", 3),
        ("with a: pass", 1),
        ("assert a", 2),
        ("async def inner():\n  if a: pass", 1),
    ],
)
def test_complexity_should_be_mccabes_when_a_function_decides(body: str, number: int) -> None:
    source = "def f():\n" + "\n".join(f"  {line}" for line in body.splitlines())
    assert functions_of(source.encode())[0].complexity == number


def test_functions_should_have_the_names_of_what_they_are_in_when_there_is_any() -> None:
    source = dedent("""
        if a: b = 1
        class C:
            def m(self):
                def inner(): return a or b
    """)
    found = {f.name: f.complexity for f in functions_of(source.encode())}
    assert found == {"C.m": 1, "C.m.inner": 2, "": 1}


def files(folder: Path, **sources: str) -> dict[str, Path]:
    found = {}
    for name, text in sources.items():
        path = folder / f"{name.replace('__', '/')}.py"
        path = path.with_name("__init__.py") if path.name == "init.py" else path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        found[name] = path
    return found


def test_a_module_should_be_relied_on_when_others_import_it_in_any_way(tmp_path: Path) -> None:
    web = files(
        tmp_path / "web",
        app__init="",
        app__main="import app.views",
        app__views="from . import waits\nfrom .deep import thing",
        app__waits="",
        app__deep__init="",
        app__deep__thing="from common.http import get\nfrom .. import waits",
        app__alone="import os, waits",
    )
    common = files(
        tmp_path / "common", common__init="", common__http="import json", common__waits=""
    )
    service = ServiceSources(
        "web", tuple(web.values()), tuple(common.values()), (tmp_path / "web", tmp_path / "common")
    )
    other = ServiceSources("other", (), tuple(common.values()), (tmp_path / "common",))
    found = importers([service, other])
    assert found[web["app__waits"]] == {
        web["app__views"],
        web["app__deep__thing"],
        web["app__main"],
    }
    assert found[common["common__http"]] == {
        web["app__deep__thing"],
        web["app__views"],
        web["app__main"],
    }
    assert web["app__main"] not in found
    assert common["common__waits"] not in found  # which is no "waits" of the app's
    services = services_by_file([service, other], found)
    assert services[common["common__http"]] == {"web"}
    assert common["common__waits"] not in services


def test_a_service_should_be_called_by_way_of_others_when_these_call_it() -> None:
    assert callers([("a", "b"), ("b", "c"), ("c", "b")]) == {"b": {"a", "c"}, "c": {"a", "b"}}


def module(path: str, *, depth: Depth | None = None, **factors: int) -> Module:
    values = {"importers": 0, "callers": 0, "complexity": 9, "commits": 4, **factors}
    return Module(
        path=path,
        services=("web",),
        importers=values["importers"],
        callers=values["callers"],
        complexity=values["complexity"],
        worst="f",
        worst_complexity=5,
        commits=values["commits"],
        lines=10,
        depth=depth or Depth(),
    )


def order(*modules: Module) -> list[str]:
    return [one.path for one in assess(modules).modules]


def test_the_risk_should_be_higher_when_any_factor_is() -> None:
    for factor in ("importers", "callers", "complexity", "commits"):
        assert order(module("a"), module("b", **{factor: 20})) == ["b", "a"]
    (one,) = assess([module("a")]).modules
    assert one.risk == pytest.approx(1)


def test_shallow_tests_should_come_first_when_the_risk_is_the_same() -> None:
    deep, ran = Depth(mutation_score=0.9, ran=0.5), Depth(ran=0.7)
    modules = (module("deep", depth=deep), module("ran", depth=ran), module("not known"))
    assert order(*modules) == ["not known", "ran", "deep"]
    # But a high risk with tests comes before a low one without.
    high = module("high", depth=Depth(ran=0.5), importers=99, complexity=99)
    assert order(module("low"), high) == ["high", "low"]


def test_the_reason_should_be_in_words_when_all_is_known() -> None:
    depth = Depth(mutation_score=0.5, ran=0.25, tests=1, under_faults=0, not_run=("f", "g"))
    (one,) = assess([module("a", depth=depth, importers=2, callers=1)]).modules
    assert one.why == (
        "2 modules and 1 service rely on it, complexity 9, 5 in f, 4 commits, "
        "50% of its mutants killed, 25% of it ran in 1 test, not f, g"
    )
