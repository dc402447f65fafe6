"""Sources as others write them: each encoding, line end, indentation and syntax."""

from __future__ import annotations

import sys

import pytest

from nomock.errors import MutationError
from nomock.mutation import decoded, mutants_of, mutate
from nomock.mutation.sourcetext import encoded


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ("x = 'ü' < a\n".encode(), "x = 'ü' < a\n"),
        ("\ufeffx = 'ü' < a\r\n".encode(), "x = 'ü' < a\r\n"),
        ("# coding: latin-1\nx = 'ü' < a\n".encode("latin-1"), "# coding: latin-1\nx = 'ü' < a\n"),
        ("#!/x\n# -*- coding: cp1252 -*-\nx = '€'".encode("cp1252"), None),
    ],
    ids=["utf-8", "byte order mark", "cookie", "cookie in the second line"],
)
def test_a_file_should_be_read_as_python_does_and_written_back_when_it_has_an_encoding(
    data: bytes, text: str | None
) -> None:
    read = decoded(data)
    assert text is None or read == text
    assert encoded(read, data) == data


@pytest.mark.parametrize("data", [b"x = '\xff'\n", b"# coding: nonsense\n"])
def test_a_file_should_be_refused_when_its_bytes_are_not_of_its_encoding(data: bytes) -> None:
    with pytest.raises(MutationError) as refused:
        decoded(data, "services/app.py")
    assert str(refused.value).startswith("services/app.py: cannot be read as Python\n")
    assert str(refused.value).endswith(
        "-> save it as UTF-8, or name its encoding in its first line"
    )


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("indent", ["    ", "\t", " "])
def test_places_should_be_those_of_characters_when_lines_end_and_are_indented_in_any_way(
    end: str, indent: str
) -> None:
    source = (
        "class Ä:\n\tdef f(self):\n\t\t'''a\n\t\f b'''\n\t\tx = 'ö€😀', self < 1\n\t\treturn x\n"
    )
    source = source.replace("\t", indent).replace("\n", end)
    found = [m for m in mutants_of("app.py", source) if m.operator == "comparison"]
    assert [m.line for m in found] == [5, 5]
    assert [m.column for m in found] == [2 * len(indent) + 16] * 2
    mutated = mutate(source, found[0])
    assert mutated == source.replace("self < 1", "self <= 1")


CLASSES = {
    "private names": "class A:\n    def f(self): return self.__x < self.__y\n",
    "super": "class A(B):\n    def f(self): return super().f() < 1\n",
    "in a class": "class A:\n  class B:\n    def f(self): return self < 1\n",
    "in one line": "class A: x = a < 1\n",
    "in a function": "def f():\n    class A:\n        def g(self): return self < f\n    return A\n",
    "decorated": "class A:\n    @b\n    @c(\n        d\n    )\n    def f(self): return self < 1\n",
    "behind a semicolon": "class A:\n    x = 1; y = a < 1\n",
    "with tabs": "class A:\n\tclass B:\n\t\tdef f(self): return self < 1\n",
    "with a closure": "def f():\n    x = 1\n    def g():\n        nonlocal x\n        x = x < 2\n",
}


@pytest.mark.parametrize("kind", CLASSES)
def test_a_mutant_should_be_found_when_its_code_stands_in_any_kind_of_class(kind: str) -> None:
    found = [m for m in mutants_of("app.py", CLASSES[kind]) if m.operator == "comparison"]
    assert [m.replacement for m in found] == ["<=", ">="]


# Syntax that not each Python has, by the version that brought it.
NEW_SYNTAX = {
    (3, 10): "match a:\n    case {'b': c, **d} if c < 1: e(1)\n    case [1, *_] | 'x': f()\n",
    (3, 11): "try: a()\nexcept* B: b(1)\n",
    (3, 12): "type A[T] = list[T]\nclass B[T: int]:\n    def c[U](self, x: U) -> T: return x < 1\n",
    (3, 13): "class A[T = int]:\n    def b(self): return self < 1\n",
    (3, 14): "try: a()\nexcept B, C: b(1)\nx = t'{a < 1}'\n",
}


def test_syntax_should_be_understood_when_the_running_python_does() -> None:
    for version, source in NEW_SYNTAX.items():
        if sys.version_info >= version:
            found = mutants_of("app.py", source)
            assert found, version
            for mutant in found:
                compile(mutate(source, mutant), "app.py", "exec")
