"""What a shell completes: commands, options, and the services and edges of the project."""

from __future__ import annotations

import subprocess

import pytest
from tiny import NOMOCK, Tiny, environment, idle

# Bash calls the function with these variables when somebody presses Tab.
PRESSES_TAB = """
eval "$(nomock completion bash)"
COMP_POINT=${#COMP_LINE}; COMP_TYPE=9
_python_argcomplete nomock
printf '%s\\n' "${COMPREPLY[@]}"
"""


def after_tab(tiny: Tiny, line: str) -> set[str]:
    """Return what bash shows behind a line."""
    environ = {**environment(COMP_LINE=line)}
    environ["PATH"] = f"{NOMOCK.parent}:{environ['PATH']}"
    command = ["bash", "--norc", "-c", PRESSES_TAB]
    done = subprocess.run(command, cwd=tiny.path, env=environ, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return {word.rstrip() for word in done.stdout.splitlines()}


@pytest.mark.slow
def test_tab_should_show_what_may_follow_when_a_command_is_begun(tiny: Tiny) -> None:
    tiny.compose(web=idle(), store=idle())
    assert after_tab(tiny, "nomock who") == {"who-tests"}
    assert after_tab(tiny, "nomock status --j") == {"--json"}
    assert after_tab(tiny, "nomock sandbox lo") == {"local", "logs"}
    assert after_tab(tiny, "nomock docs cov") == {"coverage", "coverage-spy"}
    assert after_tab(tiny, "nomock logs ") == {"web", "store"}
    assert after_tab(tiny, "nomock overlay st") == {"store"}
    assert after_tab(tiny, "nomock edges st") == {"store"}


@pytest.mark.slow
def test_tab_should_show_nothing_when_compose_refuses_the_project(tiny: Tiny) -> None:
    tiny.compose_text("services: [")
    assert after_tab(tiny, "nomock overlay st") == {""}


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_should_have_its_function_when_there_is_no_project(
    tiny: Tiny, shell: str
) -> None:
    done = tiny.nomock("completion", shell)
    assert done.ret == 0
    assert "_ARGCOMPLETE" in done.stdout.str()
