"""nomock: tests on the real docker-compose stack, its faults, and which lines the tests ran.

What users import is here, and in docs/api.md; every other module is private. A name is loaded when
it is first used: ``import nomock`` costs nothing.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # for type checkers and editors, which cannot see what __getattr__ loads
    from nomock.baggage import (
        baggage_header,
    )
    from nomock.errors import (
        BuildError,
        CanaryError,
        ComposeError,
        ConfigError,
        ConflictingFaultsError,
        CoverageError,
        EffectUnknownError,
        EngineBusyError,
        EngineError,
        EngineForbiddenError,
        EngineGoneError,
        EngineMissingError,
        FaultError,
        ForeignStackError,
        HttpFaultsError,
        LockedError,
        NoCoverageError,
        NomockError,
        NotCoverableError,
        NotHealedError,
        NotPossibleError,
        NoTrafficError,
        NotReadyError,
        NotSteadyError,
        ServiceDiedError,
        SharedStackError,
        StateFolderError,
        StoppedSpyError,
        ToxiproxyError,
        UnknownEdgeError,
        UnknownServiceError,
        UnmappedSourceError,
        UnpublishedError,
        UnreachableError,
        UntrueAnswersError,
        WatchdogError,
    )
    from nomock.faults.active import (
        ActiveFault,
    )
    from nomock.faults.checks.acknowledged import (
        Acknowledged,
        Outcome,
    )
    from nomock.faults.checks.steady import (
        SteadyAnswer,
        SteadyWatch,
        recovers_within,
        steady,
    )
    from nomock.faults.fault import (
        Fault,
    )
    from nomock.faults.faults import (
        Faults,
    )
    from nomock.faults.generate.strategy import (
        schedules,
    )
    from nomock.faults.schedule import (
        Schedule,
        Step,
    )
    from nomock.faults.schedule_run import (
        ScheduleRun,
    )
    from nomock.stack import (
        Postgres,
        Service,
        Stack,
    )

_MODULES = {
    "nomock.baggage": ("baggage_header",),
    "nomock.errors": (
        "BuildError",
        "CanaryError",
        "ComposeError",
        "ConfigError",
        "ConflictingFaultsError",
        "CoverageError",
        "EffectUnknownError",
        "EngineBusyError",
        "EngineError",
        "EngineForbiddenError",
        "EngineGoneError",
        "EngineMissingError",
        "FaultError",
        "ForeignStackError",
        "HttpFaultsError",
        "LockedError",
        "NoCoverageError",
        "NoTrafficError",
        "NomockError",
        "NotCoverableError",
        "NotHealedError",
        "NotPossibleError",
        "NotReadyError",
        "NotSteadyError",
        "ServiceDiedError",
        "SharedStackError",
        "StateFolderError",
        "StoppedSpyError",
        "ToxiproxyError",
        "UnknownEdgeError",
        "UnknownServiceError",
        "UnmappedSourceError",
        "UnpublishedError",
        "UnreachableError",
        "UntrueAnswersError",
        "WatchdogError",
    ),
    "nomock.faults.active": ("ActiveFault",),
    "nomock.faults.checks.acknowledged": (
        "Acknowledged",
        "Outcome",
    ),
    "nomock.faults.checks.steady": (
        "SteadyAnswer",
        "SteadyWatch",
        "recovers_within",
        "steady",
    ),
    "nomock.faults.fault": ("Fault",),
    "nomock.faults.faults": ("Faults",),
    "nomock.faults.generate.strategy": ("schedules",),
    "nomock.faults.schedule": (
        "Schedule",
        "Step",
    ),
    "nomock.faults.schedule_run": ("ScheduleRun",),
    "nomock.stack": (
        "Postgres",
        "Service",
        "Stack",
    ),
}
_HOMES = {name: module for module, names in _MODULES.items() for name in names}

__all__ = [
    "Acknowledged",
    "ActiveFault",
    "BuildError",
    "CanaryError",
    "ComposeError",
    "ConfigError",
    "ConflictingFaultsError",
    "CoverageError",
    "EffectUnknownError",
    "EngineBusyError",
    "EngineError",
    "EngineForbiddenError",
    "EngineGoneError",
    "EngineMissingError",
    "Fault",
    "FaultError",
    "Faults",
    "ForeignStackError",
    "HttpFaultsError",
    "LockedError",
    "NoCoverageError",
    "NoTrafficError",
    "NomockError",
    "NotCoverableError",
    "NotHealedError",
    "NotPossibleError",
    "NotReadyError",
    "NotSteadyError",
    "Outcome",
    "Postgres",
    "Schedule",
    "ScheduleRun",
    "Service",
    "ServiceDiedError",
    "SharedStackError",
    "Stack",
    "StateFolderError",
    "SteadyAnswer",
    "SteadyWatch",
    "Step",
    "StoppedSpyError",
    "ToxiproxyError",
    "UnknownEdgeError",
    "UnknownServiceError",
    "UnmappedSourceError",
    "UnpublishedError",
    "UnreachableError",
    "UntrueAnswersError",
    "WatchdogError",
    "baggage_header",
    "recovers_within",
    "schedules",
    "steady",
]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        from importlib import import_module

        return getattr(import_module(_HOMES[name]), name)
    from difflib import get_close_matches

    meant = get_close_matches(name, _HOMES, 1)
    hint = f"; did you mean {meant[0]!r}?" if meant else "; nomock docs api lists what is public"
    raise AttributeError(f"module 'nomock' has no attribute {name!r}{hint}")


def __dir__() -> list[str]:
    return __all__
