"""nomock's options beside those of others: pytest must start, whoever else has such a name."""

from __future__ import annotations

import pytest

SHORT = ("--stack", "--stack-file", "--stack-project", "--stack-timeout", "--serial",
         "--faults-on-shared", "--sidecar-coverage", "--allow-unmapped", "--affected",
         "--affected-since", "--since")  # fmt: skip
SHOWS = """
    def test_shows(pytestconfig):
        print("THEIRS", pytestconfig.getoption({name!r}, "nobody's"))
        print("OURS", pytestconfig.getoption("--nomock-serial"))
"""
ADDS = """
    def pytest_addoption(parser):
        parser.addoption({name!r}, default="local")
"""


def said(result: pytest.RunResult, who: str) -> list[str]:
    return [line.partition(" ")[2] for line in result.outlines if line.startswith(f"{who} ")]


def run(pytester: pytest.Pytester, *arguments: str) -> pytest.RunResult:
    return pytester.runpytest_subprocess("-rP", "-p", "no:cacheprovider", *arguments, timeout=120)


@pytest.mark.slow
def test_every_short_name_should_be_anothers_when_a_conftest_has_it(
    pytester: pytest.Pytester,
) -> None:
    names = "".join(f"parser.addoption({name!r}, default='local')\n    " for name in SHORT)
    pytester.makeconftest(f"def pytest_addoption(parser):\n    {names}")
    pytester.makepyfile(
        "def test_shows(pytestconfig):\n"
        f"    print('THEIRS', {{pytestconfig.getoption(name) for name in {SHORT!r}}})"
    )
    result = run(pytester)
    result.assert_outcomes(passed=1)
    assert said(result, "THEIRS") == ["{'local'}"]
    result = run(pytester, *(f"{name}=staging" for name in SHORT))
    assert said(result, "THEIRS") == ["{'staging'}"]


@pytest.mark.slow
@pytest.mark.parametrize("workers", [[], ["-n1"]])
def test_an_option_should_be_theirs_and_ours_go_by_its_full_name_when_a_conftest_has_it(
    pytester: pytest.Pytester, workers: list[str]
) -> None:
    pytester.makeconftest(ADDS.format(name="--serial"))
    pytester.makepyfile(SHOWS.format(name="--serial"))
    result = run(pytester, "--serial", "staging", "--nomock-serial", "without", *workers)
    result.assert_outcomes(passed=1)
    assert (said(result, "THEIRS"), said(result, "OURS")) == (["staging"], ["without"])


def test_an_option_should_be_theirs_when_another_plugin_has_it(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(other=ADDS.format(name="--stack"))
    pytester.makepyfile(SHOWS.format(name="--stack"))
    pytester.syspathinsert()
    result = run(pytester, "-p", "other", "--stack", "staging")
    result.assert_outcomes(passed=1)
    assert said(result, "THEIRS") == ["staging"]


def test_an_option_should_have_its_default_when_its_conftest_is_loaded_late(
    pytester: pytest.Pytester,
) -> None:
    folder = pytester.mkdir("e2e")
    (folder / "conftest.py").write_text(ADDS.format(name="--stack").replace("\n    ", "\n"))
    (folder / "test_e2e.py").write_text(SHOWS.format(name="--stack").replace("\n    ", "\n"))
    result = run(pytester)
    result.assert_outcomes(passed=1)
    assert said(result, "THEIRS") == ["local"]


@pytest.mark.slow
@pytest.mark.parametrize(
    "given",
    [
        ["--serial", "without"],
        ["--serial=without"],
        ["@options.txt"],
        ["@more.txt", "-n1"],
        ["-o", "addopts=--serial without"],
    ],
)
def test_a_short_name_should_be_ours_when_nobody_else_has_it(
    pytester: pytest.Pytester, given: list[str]
) -> None:
    pytester.makefile(".txt", options="--serial\nwithout", more="-v\n@options.txt")
    # The value of an option is no path: the conftest of the named tests is still found.
    pytester.makeini("[pytest]\ntestpaths = tests\n")
    (pytester.mkdir("tests") / "test_it.py").write_text(
        SHOWS.format(name="--team").replace("\n    ", "\n")
    )
    (pytester.path / "tests" / "conftest.py").write_text(
        ADDS.format(name="--team").replace("\n    ", "\n")
    )
    result = run(pytester, *given, "--team=red")
    result.assert_outcomes(passed=1)
    assert (said(result, "THEIRS"), said(result, "OURS")) == (["red"], ["without"])
