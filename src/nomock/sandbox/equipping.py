"""The overlays that a promotion takes along, for tests on the sandbox: the spy, and traces."""

from __future__ import annotations

from collections.abc import Callable

from nomock.config import Settings
from nomock.coverage.harvest import tell_modules
from nomock.coverage.overlay import provide_data_folder, provide_mounted_spy
from nomock.coverage.overlay.wheels import provide_mounted
from nomock.coverage.session import covered_in, data_dir, with_spy
from nomock.project import Project
from nomock.traces.session import with_traces


def equipped(
    settings: Settings, show: Callable[[str], None], *, coverage: bool, traces: bool
) -> Settings:
    """Return the settings with the overlays that were asked for.

    Raises ConfigError where there is no such overlay, BuildError where an image cannot be had.
    """
    if coverage:
        settings = with_spy(settings)
    return with_traces(settings, show) if traces else settings


def provide_for_spy(settings: Settings, project: Project) -> None:
    """Make ready what services with the spy mount; nothing where none has one.

    Raises CoverageError, StateFolderError, ConfigError for a folder of source that is not there.
    """
    if services := covered_in(settings, project):
        provide_data_folder(settings.state_dir)
        tell_modules(data_dir(settings), services)
        provide_mounted(project)
        provide_mounted_spy(project, settings.root)
