"""Every error of nomock: what happened, where, what was last seen, and what to do.

NomockError
├── ConfigError             a setting or a compose file is wrong
│   ├── UnknownServiceError     a service was named that the stack does not have
│   ├── UnknownEdgeError        an edge was named that does not run through Toxiproxy
│   ├── UnpublishedError        a port was asked for that is not published
│   ├── StateFolderError        nomock's own folder cannot be written: the disk may be full
│   └── ForeignStackError       the project name belongs to another compose file
├── TargetError             where the services run does not do what was asked
│   ├── ClusterError            … the cluster of a sandbox
│   │   ├── ClusterMissingError     no cluster answers
│   │   └── ClusterForbiddenError   it does not know this user, or not let it do this
│   └── EngineError             … the container engine
│       ├── EngineMissingError      no engine answers
│       │   └── EngineGoneError         the one that a run began with does not answer any more
│       ├── EngineForbiddenError    the engine's socket may not be opened
│       ├── EngineBusyError         it went on refusing what it does at another moment
│       └── ComposeError            a compose command failed
│           └── BuildError              an image does not build
├── NotReadyError           the stack did not become ready
│   ├── LaneError               the stack that is one worker's own is not ready
│   ├── ServiceDiedError        a service ended or is unhealthy: no use waiting
│   └── UnreachableError        a port is published where this machine does not reach it
├── PromotionError          a stack could not be promoted to a sandbox
│   ├── NotPromotableError      what its compose file says cannot stand in a sandbox
│   ├── UntranslatedError       keys of it have no translation, and were to have one
│   └── ManifestError           what was rendered is not valid for the cluster's version
├── BrowserError            the browser of tests does not start
│   └── BrowserMissingError     there is none, or nothing that drives it
├── LockedError             another run owns the stack and did not let go in time
├── CleanupError            what tests left cannot be looked at, or removed, or is not to be
├── LedgerError             what a test makes cannot be written down, or not be undone
├── MutationError           a mutant cannot be made, or what is kept of mutants not be read
├── EvidenceError           the evidence of a run is not there, or cannot be read
├── ContractError           a service or the database does not keep what it promises
├── OpenApiDocumentError    a service has no valid OpenAPI document
├── UnreadableManifestError what was given as rendered manifests are no objects of Kubernetes
├── QualityError            what was measured of the tests is not there, or cannot be read
├── CoverageError           what the services ran cannot be told
│   ├── CanaryError             a service's spy does not report what runs
│   ├── NotCoverableError       a service runs no Python that the spy can record
│   ├── NoCoverageError         a service reported no line
│   ├── StoppedSpyError         a spy could not write what its service ran
│   └── UnmappedSourceError     lines of the app that ran are not in the report
├── PostgresError           the stack's PostgreSQL did not do what a test asked of it
│   ├── SnapshotError           a database could not be brought back to a snapshot
│   ├── RowsError               rows that a test waited for did not come
│   └── SessionError            a session that a test steps is not where it is taken to be
├── TraceError              what the services did for a test cannot be read, or is not as expected
│   ├── NotTraceableError       a service runs no Python that OpenTelemetry can be mounted into
│   ├── TraceBackendError       the backend of traces does not answer, or is not in the stack
│   └── TraceAssertionError     a test's trace is not what it expects
└── FaultError              a fault cannot be put on, or did not do what it is for
    ├── ConflictingFaultsError     two faults contradict each other
    ├── SharedStackError        others use the stack that a fault would break
    ├── ToxiproxyError          Toxiproxy does not answer, or does not do what was asked
    ├── HttpFaultsError         the proxy of the HTTP faults does not, either
    ├── WatchdogError             what does a fault beside a service does not start, or ended
    ├── NotPossibleError        this kind of fault is not possible here: the test is skipped
    ├── NoTrafficError          a fault had no effect, so that the test shows nothing
    ├── EffectUnknownError      it cannot be told whether a fault had an effect
    ├── NotHealedError          a fault could not be undone
    ├── NotSteadyError          a probe did not answer well, in time, or again
    └── UntrueAnswersError      what services answered to writes is not what they did
"""

from nomock.errors.base import NomockError, did_you_mean
from nomock.errors.browser import (
    BrowserError,
    BrowserMissingError,
)
from nomock.errors.contracts import (
    ContractError,
    OpenApiDocumentError,
    UnreadableManifestError,
)
from nomock.errors.coverage import (
    CanaryError,
    CoverageError,
    NoCoverageError,
    NotCoverableError,
    StoppedSpyError,
    UnmappedSourceError,
)
from nomock.errors.data import CleanupError, LedgerError
from nomock.errors.database import (
    PostgresError,
    RowsError,
    SessionError,
    SnapshotError,
)
from nomock.errors.evidence import (
    EvidenceError,
    NotTraceableError,
    TraceAssertionError,
    TraceBackendError,
    TraceError,
)
from nomock.errors.faults import (
    ConflictingFaultsError,
    EffectUnknownError,
    FaultError,
    HttpFaultsError,
    NotHealedError,
    NotPossibleError,
    NoTrafficError,
    NotSteadyError,
    SharedStackError,
    ToxiproxyError,
    UntrueAnswersError,
    WatchdogError,
)
from nomock.errors.mutation import MutationError
from nomock.errors.project import (
    ConfigError,
    ForeignStackError,
    StateFolderError,
    UnknownEdgeError,
    UnknownServiceError,
    UnpublishedError,
)
from nomock.errors.quality import QualityError
from nomock.errors.readiness import (
    LaneError,
    LockedError,
    NotReadyError,
    ServiceDiedError,
    UnreachableError,
)
from nomock.errors.sandbox import (
    ClusterError,
    ClusterForbiddenError,
    ClusterMissingError,
    ManifestError,
    NotPromotableError,
    PromotionError,
    UntranslatedError,
)
from nomock.errors.target import (
    BuildError,
    ComposeError,
    EngineBusyError,
    EngineError,
    EngineForbiddenError,
    EngineGoneError,
    EngineMissingError,
    TargetError,
)

__all__ = [
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
    "ContractError",
    "CoverageError",
    "EffectUnknownError",
    "EngineBusyError",
    "EngineError",
    "EngineForbiddenError",
    "EngineGoneError",
    "EngineMissingError",
    "EvidenceError",
    "FaultError",
    "ForeignStackError",
    "HttpFaultsError",
    "LaneError",
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
    "PostgresError",
    "PromotionError",
    "QualityError",
    "RowsError",
    "ServiceDiedError",
    "SessionError",
    "SharedStackError",
    "SnapshotError",
    "StateFolderError",
    "StoppedSpyError",
    "TargetError",
    "ToxiproxyError",
    "TraceAssertionError",
    "TraceBackendError",
    "TraceError",
    "UnknownEdgeError",
    "UnknownServiceError",
    "UnmappedSourceError",
    "UnpublishedError",
    "UnreachableError",
    "UnreadableManifestError",
    "UntranslatedError",
    "UntrueAnswersError",
    "WatchdogError",
    "did_you_mean",
]

# A report names a class by where users import it, whichever room it is in.
for _each in [*globals().values()]:
    if isinstance(_each, type):
        _each.__module__ = __name__
