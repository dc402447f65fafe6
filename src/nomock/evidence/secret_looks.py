"""What a secret looks like, and what the places are called in which one stands."""

from __future__ import annotations

import re

HEADERS = re.compile(r"(?i)^((proxy-)?authorization|(set-)?cookie2?)$")
SECRET = (
    r"pass(?:word|wd|phrase)|pwd|secret|token|api[_.-]?key|access[_.-]?key|private[_.-]?key"
    r"|credential|authorization|cookie|session[_.-]?id|client[_.-]?assertion|saml[_.-]?response|code[_.-]?verifier|\bjwt\b"
)
_SECRET_NAME = re.compile(f"(?i){SECRET}|^(?:pass|auth|assertion)$")
# What has such a word in its name, and says nothing but how it is used.
_HARMLESS_NAME = re.compile(
    r"(?i)(type|types|endpoint|methods?|supported|hint|ur[il]s?|expires?([_-]?in)?|count|length|"
    r"limit|max|used|tokens)$|^(max|min|num|total)[_-]"
)
# The authorization code of OAuth; `code` alone names errors and statuses, too.
_LEAST_CODE = 16

BEARER = re.compile(
    r"(?i)\b(bearer|basic|negotiate|digest)([ \t]+|%20)(?!authenti|authoriz|credential|scheme)"
    r"[A-Za-z0-9\-._~+/]{8,}=*"
)
LINE_OF_HEADER = re.compile(
    r"(?i)((?:\b|_)(?:set-cookie2?|cookie|(?:proxy-)?authorization))"
    r"(\\*[\"']?[ \t]*[:=][ \t]*\\*(?:[bfr]{1,2}(?=[\"']))?[\"']?|[\"'][ \t]*,[ \t]*[bfr]*[\"'])"
    r"([^\r\n\"'\\]+)"
)
NAMED = re.compile(
    rf"(?i)((?:{SECRET})[\w.\-]{{0,60}})(\\*[\"']?\]?[ \t]*(?:==?|:)[ \t]*)"
    r"(\\*\"(?:[^\"\\\r\n]|\\[^\"\r\n])*\\*\"|'[^'\r\n]*'|[^\s,;&\"'<>(){}\[\]\\]+)"
)
PART_OF_CODE = re.compile(r"[A-Za-z_][A-Za-z_.]*|[A-Za-z_][\w.]*(?=[(\[])")
# Looked for behind a find: a search that began with it would try each begin of a long word.
BEGIN_OF_NAME = re.compile(r"[\w.\-]{0,60}\Z")
PART_OF_FORM = re.compile(r"(?i)name=\"([^\"]*)\"((?:\r?\n[^\r\n]+){0,5}\r?\n\r?\n)([^\r\n]*)")
USER_IN_URL = re.compile(r"(?i)\b([a-z][a-z0-9+.\-]*://[^/\s:@\"']*):([^/\s@\"']+)@")
SHAPES = re.compile(
    r"\beyJ[A-Za-z0-9_-]{6,}\.[A-Za-z0-9_-]{6,}(?:\.[A-Za-z0-9_-]*)?"
    r"|\b(?:gh[pousr]_|github_pat_|glpat-|xox[abpr]-|sk-|sk_live_|rk_live_)[A-Za-z0-9_-]{16,}"
    r"|\bAKIA[0-9A-Z]{16}\b"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----(?:[^-]|-(?!----END))*(?:-----END [A-Z ]*-----)?"
)

# Values in SQL, the last may be cut off; and before these what may hold a quote and is none.
LITERAL = re.compile(
    r"""(--[^\n]*|/\*[\s\S]*?(?:\*/|\Z)|"[^"]*(?:"|\Z))"""
    r"|(?<![\w$])[eE]'(?:[^'\\]|''|\\[\s\S])*(?:'|\Z)"
    r"|'(?:[^']|'')*(?:'|\Z)"
    r"|(\$\w*\$)[\s\S]*?(?:\2|\Z)"
)

SCHEMES = ("bearer", "basic", "negotiate", "digest")
# A part of each name that SECRET knows.
NAMES = (
    *("pass", "pwd", "secret", "token", "api", "key", "credential", "authorization", "cookie"),
    *("session", "assertion", "saml", "verifier", "jwt"),
)
WORDS = (*SCHEMES, *NAMES, "://")
SHAPES_BEGIN = ("eyj", "gh", "glpat-", "xox", "sk-", "sk_", "rk_", "akia", "private key-----")


def is_secret(name: str, value: object) -> bool:
    """Tell whether what stands under a name is a secret, by the name and its kind."""
    if name.lower() == "code":
        return isinstance(value, str) and len(value) >= _LEAST_CODE
    return bool(_SECRET_NAME.search(name)) and not _HARMLESS_NAME.search(name)
