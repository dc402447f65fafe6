"""The files that Codecov, SonarQube and GitLab take: their shape, and the paths in them."""

from __future__ import annotations

import json
import re
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree

import coverage
import pytest
from jsonschema import Draft202012Validator
from places import ROOT

from nomock.coverage.harvest import Harvest, report
from nomock.coverage.harvest.counting import Row

SOURCE = "def f(x):\n    if x:\n        return 1\n    return 2\n\n\nf(1)\n"


@dataclass
class Element:
    """What Cobertura's document type says of an element: its children in order, its attributes."""

    children: str
    """A regular expression on the names of the children, each followed by a blank."""
    needs: set[str] = field(default_factory=set)
    may: set[str] = field(default_factory=set)


_RATES = {"line-rate", "branch-rate", "complexity"}
# https://github.com/cobertura/web/blob/master/htdocs/xml/coverage-04.dtd, what it says
COBERTURA = {
    "coverage": Element(
        "sources packages ",
        {"line-rate", "branch-rate", "version", "timestamp", "complexity"}
        | {"lines-covered", "lines-valid", "branches-covered", "branches-valid"},
    ),
    "sources": Element("(source )*"),
    "source": Element(""),
    "packages": Element("(package )*"),
    "package": Element("classes ", {"name", *_RATES}),
    "classes": Element("(class )*"),
    "class": Element("methods lines ", {"name", "filename", *_RATES}),
    "methods": Element("(method )*"),
    "lines": Element("(line )*"),
    "line": Element(
        "(conditions )*", {"number", "hits"}, {"branch", "condition-coverage", "missing-branches"}
    ),
}
LCOV = re.compile(r"""
    (SF:(?P<path>.+)\n
     (DA:\d+,\d+(,.+)?\n)*
     (LF:\d+\n LH:\d+\n)?
     (FN:\d+(,\d+)?,.+\n | FNDA:\d+,.+\n)*  (FNF:\d+\n FNH:\d+\n)?
     (BRDA:\d+,\d+,[^,\n]+,(\d+|-)\n)*  (BRF:\d+\n BRH:\d+\n)?
     end_of_record\n)+
""".replace("\n", ""), re.VERBOSE)  # fmt: skip


def offences(element: ElementTree.Element) -> list[str]:
    """Return what of a document is not as Cobertura's document type has it."""
    rule = COBERTURA[element.tag]
    names = "".join(f"{child.tag} " for child in element)
    found = [] if re.fullmatch(rule.children, names) else [f"{element.tag} has {names}"]
    given = set(element.attrib)
    found += [f"{element.tag} lacks {name}" for name in sorted(rule.needs - given)]
    found += [f"{element.tag} has {name}" for name in sorted(given - rule.needs - rule.may)]
    return found + [offence for child in element for offence in offences(child)]


@pytest.fixture
def reported(tmp_path: Path) -> Path:
    """The reports of a project whose compose file is in a folder of its repository."""
    subprocess.run(["git", "init", "--quiet", str(tmp_path)], check=True)
    app = tmp_path / "services/shop/app.py"
    app.parent.mkdir(parents=True)
    app.write_text(SOURCE)
    data = coverage.CoverageData(str(tmp_path / "data"))
    data.set_context("tests/test_a.py::test_a")
    data.add_arcs({str(app): [(-1, 1), (1, 7), (7, -1), (-1, 2), (2, 3), (3, -1)]})
    data.write()
    row = Row("total", 1, 5, 4, 1)
    found = Harvest((row,), row, tmp_path / "data", {app: frozenset({"shop"})}, (), (), ())
    (tmp_path / "deploy").mkdir()
    report(found, tmp_path / "deploy", tmp_path / "deploy/coverage-report")
    return tmp_path / "deploy/coverage-report"


def test_the_xml_should_be_coberturas_with_paths_of_the_repository_when_it_is_written(
    reported: Path,
) -> None:
    root = ElementTree.parse(reported / "coverage.xml").getroot()
    assert offences(root) == []
    assert {found.get("filename") for found in root.iter("class")} == {"services/shop/app.py"}
    # GitLab looks a file up below the source, SonarQube beside it: both have to be the repository.
    assert [found.text for found in root.iter("source")] == [str(reported.parent.parent)]
    assert root.get("lines-valid") == "5"


def test_the_lcov_should_be_records_with_paths_of_the_repository_when_it_is_written(
    reported: Path,
) -> None:
    found = LCOV.fullmatch((reported / "lcov.info").read_text())
    assert found is not None
    assert found["path"] == "services/shop/app.py"


def test_the_json_should_be_of_its_schema_with_paths_of_the_repository_when_it_is_written(
    reported: Path,
) -> None:
    found = json.loads((reported / "coverage.json").read_text())
    schema = json.loads((ROOT / "tests/harness/coverage/coverage-json.schema.json").read_text())
    Draft202012Validator(schema).validate(found)
    assert found["files"].keys() == {"services/shop/app.py"}


def test_the_total_should_be_found_when_the_pattern_of_the_docs_is_used_on_the_table() -> None:
    from nomock.coverage.harvest import table

    page = (ROOT / "docs/coverage.md").read_text()
    pattern = re.search(r"coverage: '/(.+)/'", page)
    assert pattern is not None
    lines = table([Row("auth", 20, 745, 729, 273), Row("total", 40, 1516, 1459, 283)])
    found = re.search(pattern[1], "\n".join(lines), re.MULTILINE)
    assert found is not None
    assert found[1] == "96.2"
