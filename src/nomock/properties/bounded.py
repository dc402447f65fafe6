"""Hypothesis' settings for tests whose every step asks a live stack."""

from __future__ import annotations

import os

from nomock.adapters.hypothesis import ExampleDatabase, HealthCheck, Phase, settings
from nomock.properties.kept import KeptExamples

# Without `explain`, which runs what failed again and again to say what in it matters least.
_PHASES = (Phase.explicit, Phase.reuse, Phase.generate, Phase.target, Phase.shrink)


def bounded(examples: int = 20, steps: int = 15) -> settings:
    """Return settings for Hypothesis that suit a live stack; a decorator, too: ``@bounded(10)``.

    No deadline, and no check of health that calls a busy machine a bad test: how fast an answer
    comes says nothing. There are ``examples`` of ``steps`` at the most, where Hypothesis has 100 of
    50. What failed is kept under ``.nomock/examples``, so that the next run, and ``nomock replay``,
    begin with it. Where CI is set the examples are always the same, and none are kept.

    Example:

        @given(names=st.lists(st.text(min_size=1), max_size=5))
        @bounded(examples=10)
        def test_orders_should_be_listed_when_they_have_any_names(orders, names): ...
    """
    is_ci = bool(os.environ.get("CI"))
    database: ExampleDatabase | None = None if is_ci else KeptExamples()
    return settings(
        max_examples=examples,
        stateful_step_count=steps,
        deadline=None,
        derandomize=is_ci,
        database=database,
        print_blob=True,
        phases=_PHASES,
        # One fixture serves all examples: what an example makes, it or `explore` takes away.
        suppress_health_check=[
            HealthCheck.too_slow,
            HealthCheck.function_scoped_fixture,
            HealthCheck.differing_executors,
        ],
    )
