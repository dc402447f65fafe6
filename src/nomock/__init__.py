"""nomock: tests on the real docker-compose stack, its faults, and which lines the tests ran.

What users import is here, and in docs/api.md; every other module is private. A name is loaded when
it is first used: ``import nomock`` costs nothing.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # for type checkers and editors, which cannot see what __getattr__ loads
    from nomock.baggage import (
        baggage_header,
    )
    from nomock.contracts.checks import (
        ContractChecks,
        OpenApiReport,
    )
    from nomock.database.costs import (
        Costs,
        SequentialScan,
        StatementCost,
    )
    from nomock.database.sessions import (
        Session,
    )
    from nomock.database.snapshot import (
        Snapshot,
    )
    from nomock.errors import (
        BrowserError,
        BrowserMissingError,
        BuildError,
        CanaryError,
        CleanupError,
        ClusterError,
        ClusterForbiddenError,
        ClusterMissingError,
        ComposeError,
        ConfigError,
        ConflictingFaultsError,
        ContractError,
        CoverageError,
        EffectUnknownError,
        EngineBusyError,
        EngineError,
        EngineForbiddenError,
        EngineGoneError,
        EngineMissingError,
        EvidenceError,
        FaultError,
        ForeignStackError,
        HttpFaultsError,
        LaneError,
        LedgerError,
        LockedError,
        ManifestError,
        MutationError,
        NoCoverageError,
        NomockError,
        NotCoverableError,
        NotHealedError,
        NotPossibleError,
        NotPromotableError,
        NoTrafficError,
        NotReadyError,
        NotSteadyError,
        NotTraceableError,
        OpenApiDocumentError,
        PostgresError,
        PromotionError,
        QualityError,
        RowsError,
        ServiceDiedError,
        SessionError,
        SharedStackError,
        SnapshotError,
        StateFolderError,
        StoppedSpyError,
        TargetError,
        ToxiproxyError,
        TraceAssertionError,
        TraceBackendError,
        TraceError,
        UnknownEdgeError,
        UnknownServiceError,
        UnmappedSourceError,
        UnpublishedError,
        UnreachableError,
        UnreadableManifestError,
        UntranslatedError,
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
    from nomock.ledger.lane import (
        WorkerLane,
    )
    from nomock.ledger.ledger import (
        Ledger,
    )
    from nomock.ledger.undo import (
        Undo,
    )
    from nomock.properties.bounded import (
        bounded,
    )
    from nomock.properties.explore import (
        explore,
    )
    from nomock.properties.strategies import (
        concurrency,
        latencies,
    )
    from nomock.stack import (
        Postgres,
        Service,
        Stack,
    )
    from nomock.stack.kubernetes import (
        Kubernetes,
    )
    from nomock.tracecontext import (
        trace_headers,
    )
    from nomock.traces.current import (
        CurrentTrace,
    )
    from nomock.traces.expectation import (
        Expectation,
    )
    from nomock.traces.model import (
        Span,
    )

# Where a public name is; all others are errors.
_HOMES = {
    "baggage_header": "nomock.baggage",
    "ContractChecks": "nomock.contracts.checks",
    "OpenApiReport": "nomock.contracts.checks",
    "Costs": "nomock.database.costs",
    "SequentialScan": "nomock.database.costs",
    "StatementCost": "nomock.database.costs",
    "Session": "nomock.database.sessions",
    "Snapshot": "nomock.database.snapshot",
    "ActiveFault": "nomock.faults.active",
    "Acknowledged": "nomock.faults.checks.acknowledged",
    "Outcome": "nomock.faults.checks.acknowledged",
    "SteadyAnswer": "nomock.faults.checks.steady",
    "SteadyWatch": "nomock.faults.checks.steady",
    "recovers_within": "nomock.faults.checks.steady",
    "steady": "nomock.faults.checks.steady",
    "Fault": "nomock.faults.fault",
    "Faults": "nomock.faults.faults",
    "schedules": "nomock.faults.generate.strategy",
    "Schedule": "nomock.faults.schedule",
    "Step": "nomock.faults.schedule",
    "ScheduleRun": "nomock.faults.schedule_run",
    "WorkerLane": "nomock.ledger.lane",
    "Ledger": "nomock.ledger.ledger",
    "Undo": "nomock.ledger.undo",
    "bounded": "nomock.properties.bounded",
    "explore": "nomock.properties.explore",
    "concurrency": "nomock.properties.strategies",
    "latencies": "nomock.properties.strategies",
    "Postgres": "nomock.stack",
    "Service": "nomock.stack",
    "Stack": "nomock.stack",
    "Kubernetes": "nomock.stack.kubernetes",
    "trace_headers": "nomock.tracecontext",
    "CurrentTrace": "nomock.traces.current",
    "Expectation": "nomock.traces.expectation",
    "Span": "nomock.traces.model",
}

__all__ = [
    "Acknowledged",
    "ActiveFault",
    "BrowserError",
    "BrowserMissingError",
    "BuildError",
    "CanaryError",
    "CleanupError",
    "ClusterError",
    "ClusterForbiddenError",
    "ClusterMissingError",
    "ComposeError",
    "ConfigError",
    "ConflictingFaultsError",
    "ContractChecks",
    "ContractError",
    "Costs",
    "CoverageError",
    "CurrentTrace",
    "EffectUnknownError",
    "EngineBusyError",
    "EngineError",
    "EngineForbiddenError",
    "EngineGoneError",
    "EngineMissingError",
    "EvidenceError",
    "Expectation",
    "Fault",
    "FaultError",
    "Faults",
    "ForeignStackError",
    "HttpFaultsError",
    "Kubernetes",
    "LaneError",
    "Ledger",
    "LedgerError",
    "LockedError",
    "ManifestError",
    "MutationError",
    "NoCoverageError",
    "NoTrafficError",
    "NomockError",
    "NotCoverableError",
    "NotHealedError",
    "NotPossibleError",
    "NotPromotableError",
    "NotReadyError",
    "NotSteadyError",
    "NotTraceableError",
    "OpenApiDocumentError",
    "OpenApiReport",
    "Outcome",
    "Postgres",
    "PostgresError",
    "PromotionError",
    "QualityError",
    "RowsError",
    "Schedule",
    "ScheduleRun",
    "SequentialScan",
    "Service",
    "ServiceDiedError",
    "Session",
    "SessionError",
    "SharedStackError",
    "Snapshot",
    "SnapshotError",
    "Span",
    "Stack",
    "StateFolderError",
    "StatementCost",
    "SteadyAnswer",
    "SteadyWatch",
    "Step",
    "StoppedSpyError",
    "TargetError",
    "ToxiproxyError",
    "TraceAssertionError",
    "TraceBackendError",
    "TraceError",
    "Undo",
    "UnknownEdgeError",
    "UnknownServiceError",
    "UnmappedSourceError",
    "UnpublishedError",
    "UnreachableError",
    "UnreadableManifestError",
    "UntranslatedError",
    "UntrueAnswersError",
    "WatchdogError",
    "WorkerLane",
    "baggage_header",
    "bounded",
    "concurrency",
    "explore",
    "latencies",
    "recovers_within",
    "schedules",
    "steady",
    "trace_headers",
]


def __getattr__(name: str) -> Any:
    if name in __all__:
        from importlib import import_module

        return getattr(import_module(_HOMES.get(name, "nomock.errors")), name)
    from nomock.errors import did_you_mean

    hint = did_you_mean(name, __all__, "nomock docs api lists what is public")
    # Without a name: with one Python adds a hint of its own, where it has the same one.
    raise AttributeError(f"module 'nomock' has no attribute {name!r}; {hint}", name=None)


def __dir__() -> list[str]:
    return __all__
