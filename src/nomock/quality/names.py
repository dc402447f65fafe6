"""Names of tests that are sentences: ``test_<what>_should_<outcome>_when_<condition>``.

Of a name that is none a suggestion is made by its own words; ``<what>`` stands for what it lacks.
"""

from __future__ import annotations

import re

FORM = "test_<what>_should_<outcome>_when_<condition>"
_FORM = re.compile(r"test_(\w+?)_should_(\w+?)_when_(\w+)")
# In a class its name may say of what the tests are: TestLogin.test_should_fail_when_…
_FORM_IN_CLASS = re.compile(r"test_((\w+?)_)?should_(\w+?)_when_(\w+)")
_MODALS = {"should", "must", "shall", "will"}
_NEGATIVES = {("does", "not"), ("do", "not"), ("can", "not"), ("is", "not"), ("are", "not")}
_IRREGULAR = {"is": "be", "are": "be", "has": "have", "does": "do", "goes": "go"}
# In their base form, as they stand after "should".
_WORDS = """
accept add allow answer apply assign block break build call cancel catch change check clear
close commit contain count create decode delete deny detect drop encode end enforce equal
exist expire fail fetch filter find finish fix follow get give handle hide hold ignore
include insert issue keep leave let list load lock log lose make map match merge move need
open parse pass pay persist produce prevent provision publish raise read receive record
redirect refuse register reject release remove render replace report require reset resolve
respond restore retry return revoke roll rotate run save send serve set show skip sort split
start stay stop store strip succeed support survive swallow sync throw time trigger truncate
update use validate verify wait warn work wrap write yield
"""
_VERBS = frozenset(_WORDS.split())
_AS_WHEN = {
    "when": "",
    "if": "",
    "while": "",
    "once": "",
    "with": "given_",
    "without": "there_is_no_",
}


def suggestion(name: str, class_name: str = "") -> str:
    """Return a name of the form by the words of one that is not; "" for a name that is.

    ``class_name`` is that of the class that the test is in, if it is in one.

    >>> suggestion("test_login_fails_without_password")
    'test_login_should_fail_when_there_is_no_password'
    >>> suggestion("test_login")
    'test_login_should_<outcome>_when_<condition>'
    """
    if (_FORM_IN_CLASS if class_name else _FORM).fullmatch(name):
        return ""
    words = [word for word in name.removeprefix("test").split("_") if word]
    before, outcome = _at_verb(words)
    outcome, condition = _at_condition(outcome)
    if not outcome:
        before, condition = _at_condition(before) if not condition else (before, condition)
    what = "_".join(before) or _of_class(class_name) or "<what>"
    return (
        f"test_{what}_should_{'_'.join(outcome) or '<outcome>'}_when_{condition or '<condition>'}"
    )


def _at_verb(words: list[str]) -> tuple[list[str], list[str]]:
    """Return the words before the verb, and those from it on, the verb as it is after should."""
    for place, word in enumerate(words):
        if word in _AS_WHEN:
            break  # what comes is about the condition
        rest = words[place + 1 :]
        if word in _MODALS:
            return words[:place], rest
        if word == "cannot":
            return words[:place], ["not", *rest]
        if (word, *rest[:1]) in _NEGATIVES:
            be = ["be"] if word in {"is", "are"} else []
            return words[:place], ["not", *be, *rest[1:]]
        if base := _base(word):
            return words[:place], [base, *rest]
    return words, []


def _base(word: str) -> str:
    """Return the base form of a verb in the third person; "" for another word."""
    if word in _IRREGULAR:
        return _IRREGULAR[word]
    endings = [(r"ies$", "y"), (r"es$", ""), (r"s$", "")]
    forms = [re.sub(ending, base, word) for ending, base in endings if re.search(ending, word)]
    return next((form for form in forms if form in _VERBS), "")


def _at_condition(words: list[str]) -> tuple[list[str], str]:
    """Return the words before the condition, and the condition as it is after when."""
    for place, word in enumerate(words):
        if word in _AS_WHEN and words[place + 1 :]:
            return words[:place], _AS_WHEN[word] + "_".join(words[place + 1 :])
    return words, ""


def _of_class(name: str) -> str:
    bare = name.removeprefix("Test").removesuffix("Tests").removesuffix("Test")
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", bare).lower().strip("_")
