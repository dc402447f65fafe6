"""Names of tests that are no sentences: a better one by their own words, and when it is said."""

from __future__ import annotations

import pytest
from tiny import Tiny, idle

from nomock.quality.names import suggestion


@pytest.mark.parametrize(
    ("name", "better"),
    [
        ("test_login", "test_login_should_<outcome>_when_<condition>"),
        (
            "test_login_fails_without_password",
            "test_login_should_fail_when_there_is_no_password",
        ),
        ("test_login_returns_401_if_expired", "test_login_should_return_401_when_expired"),
        ("test_quota_is_enforced", "test_quota_should_be_enforced_when_<condition>"),
        ("test_token_does_not_expire", "test_token_should_not_expire_when_<condition>"),
        ("test_token_is_not_reused", "test_token_should_not_be_reused_when_<condition>"),
        ("test_worker_cannot_write_while_paused", "test_worker_should_not_write_when_paused"),
        ("test_cache_must_be_empty", "test_cache_should_be_empty_when_<condition>"),
        ("test_client_retries_with_backoff", "test_client_should_retry_when_given_backoff"),
        ("test_order_passes", "test_order_should_pass_when_<condition>"),
        ("test_create_when_full", "test_create_should_<outcome>_when_full"),
        ("test_a_should_b", "test_a_should_b_when_<condition>"),
        ("test_returns_404", "test_<what>_should_return_404_when_<condition>"),
        ("test_", "test_<what>_should_<outcome>_when_<condition>"),
        ("test__with", "test_with_should_<outcome>_when_<condition>"),
        ("test_a_should_b_when_c", ""),
        ("test_a_should_b_should_c_when_d_when_e", ""),
    ],
)
def test_a_suggestion_should_be_of_the_names_own_words_when_it_is_no_sentence(
    name: str, better: str
) -> None:
    assert suggestion(name) == better


@pytest.mark.parametrize(
    ("name", "better"),
    [
        ("test_should_fail_when_empty", ""),
        ("test_call_should_fail_when_empty", ""),
        ("test_fails", "test_user_login_should_fail_when_<condition>"),
    ],
)
def test_a_class_should_say_of_what_the_tests_are_when_their_names_do_not(
    name: str, better: str
) -> None:
    assert suggestion(name, "TestUserLogin") == better


TESTS = '''
    import unittest, pytest

    @pytest.mark.parametrize("n", [1, 2])
    def test_login_fails(stack, n): pass

    def test_login_should_work_when_asked(stack): pass

    class TestLogin:
        def test_should_work_when_asked(self): pass

    class LoginTest(unittest.TestCase):
        def testCase(self): pass

    def documented():
        """
        >>> 1
        1
        """
'''
COMPLAINT = (
    "1 tests are not named test_<what>_should_<outcome>_when_<condition> (test_names = 'error')",
    "  test_tiny.py::test_login_fails",
    "    -> test_login_should_fail_when_<condition>",
)


@pytest.mark.slow
def test_names_should_be_told_as_the_setting_says_when_a_run_uses_the_stack(tiny: Tiny) -> None:
    tiny.compose(only=idle())
    tiny.tests(TESTS)
    tiny.write("pyproject.toml", "[tool.nomock]\ntest_names = 'error'\n")
    arguments = ("--doctest-modules", "test_tiny.py")
    for workers in ((), ("-n2",)):
        refused = tiny.run(*arguments, *workers)
        assert refused.ret == pytest.ExitCode.USAGE_ERROR
        said = refused.stderr.str().splitlines()
        assert [line.removeprefix("ERROR: ") for line in said if line][:3] == [*COMPLAINT]
        assert refused.stderr.str().count("test_login_fails") == 1
    assert not tiny.containers()
    tiny.run(*arguments, "-k", "not login_fails and not stack").assert_outcomes(
        passed=4, deselected=2
    )
    tiny.write("pyproject.toml", "[tool.nomock]\ntest_names = 'warn'\n")
    warned = tiny.run(*arguments, "-n2")
    warned.assert_outcomes(passed=6, warnings=1)
    assert "its name is not" in warned.stdout.str()


def test_names_should_be_nobodys_business_when_nothing_is_set(tiny: Tiny) -> None:
    tiny.compose(only=idle())
    tiny.tests("def test_it(stack): pass")
    run = tiny.run()
    run.assert_outcomes(passed=1)
    assert "its name" not in run.stdout.str() + run.stderr.str()
