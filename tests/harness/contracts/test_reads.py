"""What variables Python source reads, found without running it."""

from __future__ import annotations

from pathlib import PurePosixPath
from textwrap import dedent

import pytest

from nomock.contracts.reads import Program, Read
from nomock.contracts.reads.scan import scan


def read(*entries: str, **files: str) -> list[Read]:
    """Return the reads of a program; ``app__main`` is app/main.py."""
    found = []
    for name, text in files.items():
        module = scan(PurePosixPath(name.replace("__", "/") + ".py"), dedent(text))
        assert module is not None
        found.append(module)
    return [*Program(found, [(entry,) for entry in entries]).reads()]


def shown(reads: list[Read]) -> list[str]:
    """Return each read as its name; `!` where it is needed, `^` where at the start, its kind."""
    return [
        f"{r.name}{'!' * r.is_required}{'^' * r.is_at_start}"
        f"{f' {r.kind.name}' if r.kind.name != 'text' else ''}"
        for r in reads
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('import os\nX = os.environ["A"]', ["A!^"]),
        ('import os\nX = os.environ.get("A")', ["A^"]),
        ('import os\nX = int(os.environ.get("A", 5))', ["A^ whole number"]),
        ('import os\nX = os.getenv("A", default="")', ["A^"]),
        ('import os as o\nX = float(o.environ["A"])', ["A!^ number"]),
        ('from os import environ as e, getenv\nX = e["A"], getenv("B")', ["A!^", "B^"]),
        ('import os\nX = "A" in os.environ and os.environ["A"]', ["A^", "A"]),
        ('import os\ntry:\n    X = os.environ["A"]\nexcept KeyError:\n    X = ""', ["A^"]),
        ('import os\nif os.getenv("S3"):\n    X = os.environ["A"]', ["S3^", "A!"]),
        ('import os\nX = bool(os.environ.get("A"))', ["A^ truth"]),
        ('import os\nX = {n: os.environ[n] for n in ("A", "B")}', ["A!^", "B!^"]),
        ('import os\nNAME = "A"\nX = os.environ[NAME]', ["A!^"]),
        ('import os\nos.environ["A"] = "1"', []),
        ('from decouple import config\nX = config("A", cast=int)', ["A!^ whole number"]),
        ('from decouple import config\nX = config("A", default="")', ["A^"]),
        ('from environs import Env\nenv = Env()\nX = env.int("A")', ["A!^ whole number"]),
        (
            'import environ\nenv = environ.Env()\nX = env("A", default=1), env.db()',
            ["A^", "DATABASE_URL!^"],
        ),
        (
            "from starlette.config import Config\nconfig = Config()\n"
            'X = config("A", cast=bool, default=False)',
            ["A^ true or false"],
        ),
    ],
)
def test_a_read_should_be_found_when_it_is_written_so(text: str, expected: list[str]) -> None:
    assert shown(read("app", app=text)) == expected


def test_a_read_should_be_that_of_the_caller_when_a_function_is_told_the_name() -> None:
    found = read(
        "app.main",
        app__settings="""
            import os

            def text(name, default=None):
                value = os.environ.get(name, default)
                if value is None:
                    raise RuntimeError(name)
                return value

            def seconds(name: str) -> float:
                return float(text(name))
        """,
        app__main="""
            from app import settings
            from app.settings import seconds

            URL = settings.text("URL")
            LEVEL = settings.text("LEVEL", "info")
            WAIT = seconds("WAIT")
        """,
    )
    assert shown(found) == ["URL!^", "LEVEL^", "WAIT!^ number"]
    assert [r.place for r in found] == ["app/main.py:5", "app/main.py:6", "app/main.py:7"]


def test_a_name_should_be_a_pattern_when_a_part_of_it_is_computed() -> None:
    (found,) = read("app", app='import os\nfor s in find():\n    os.environ[f"{s}_PASSWORD"]')
    assert (found.name, found.is_pattern) == (".*_PASSWORD", True)


def test_a_prefix_should_be_put_in_when_the_caller_writes_it_out() -> None:
    text = """
        import os

        def url(prefix):
            return os.environ[prefix + "_URL"]

        DB = url("DB")
    """
    assert shown(read("app", app=text)) == ["DB_URL!^"]


def test_a_read_should_count_when_the_environment_is_handed_on() -> None:
    text = """
        import os

        def load(values):
            return values["A"], values.get("B")

        def others(values):
            return values["NO_VARIABLE"]

        SETTINGS = load(os.environ)
        OTHERS = others({})
    """
    assert shown(read("app", app=text)) == ["A!^", "B^"]


def test_a_function_should_not_count_when_nobody_calls_it() -> None:
    text = """
        import os

        def unused():
            return os.environ["A"]

        @app.get("/")
        def page():
            return os.environ["B"]
    """
    assert shown(read("app", app=text)) == ["A", "B!"]


def test_a_read_should_not_be_at_the_start_when_the_function_may_return_before() -> None:
    text = """
        import os

        def places():
            if not os.environ.get("SIZES"):
                return None
            return os.environ["HOST"]

        PLACES = places()
    """
    assert shown(read("app", app=text)) == ["SIZES^", "HOST!"]


def test_a_file_should_not_count_when_the_service_does_not_load_it() -> None:
    found = read(
        "app.main",
        app__main="from app import used",
        app__used='import os\nX = os.environ["A"]',
        app__other='import os\nX = os.environ["B"]',
    )
    assert shown(found) == ["A!^"]


def test_fields_should_be_variables_when_their_class_is_one_of_settings() -> None:
    text = """
        from typing import ClassVar, Literal
        from pydantic import Field, HttpUrl
        from pydantic_settings import BaseSettings, SettingsConfigDict

        class Base(BaseSettings):
            debug: bool = False

        class Settings(Base):
            model_config = SettingsConfigDict(env_prefix="shop_")
            kind: ClassVar[str] = "x"
            port: int
            sentry: HttpUrl | None = None
            level: Literal["info", "debug"] = "info"
            origins: list[str] = Field(default_factory=list)
            key: str = Field(..., alias="SECRET_KEY")

        class Unused(BaseSettings):
            unused: str

        settings = Settings()
    """
    assert shown(read("app", app=text)) == [
        "SHOP_PORT!^ whole number",
        "SHOP_SENTRY^ URL",
        "SHOP_LEVEL^ choice",
        "SHOP_ORIGINS^ JSON",
        "SECRET_KEY!^",
        "SHOP_DEBUG^ true or false",
    ]


def test_nested_fields_should_be_a_pattern_when_a_delimiter_is_set() -> None:
    text = """
        from pydantic_settings import BaseSettings

        class Settings(BaseSettings):
            model_config = {"env_nested_delimiter": "__"}
            db: Database

        settings = Settings()
    """
    assert shown(read("app", app=text)) == ["DB^", "DB__.*^"]


def test_a_file_should_be_left_out_when_it_is_no_python() -> None:
    assert scan(PurePosixPath("a.py"), "print 'two'") is None
    assert scan(PurePosixPath("a.py"), "\0") is None


def test_files_should_be_read_to_an_end_when_they_import_each_other() -> None:
    found = read("a", a="from b import x\nimport os\nX = os.environ['A']", b="from a import x\nx()")
    assert shown(found) == ["A!^"]


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        ("int", "5", "5s"),
        ("float", "0.5", "half"),
        ("bool", "off", "maybe"),
        ("list[str]", '["a"]', "a,b"),
        ("HttpUrl", "http://a", "a.example"),
        ("Literal['a']", "a", "b"),
    ],
)
def test_a_value_should_not_do_when_it_is_of_another_kind(kind: str, good: str, bad: str) -> None:
    text = f"from pydantic_settings import BaseSettings\nclass S(BaseSettings):\n    a: {kind}\nS()"
    (found,) = read("app", app=text)
    assert found.kind.trouble(good) == ""
    assert found.kind.trouble(bad) != ""
