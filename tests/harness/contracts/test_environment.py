"""Variables of a compose project that do not fit: found by reading it, with both places."""

from __future__ import annotations

import pytest
from schemas import checked
from tiny import Tiny

from nomock.contracts import environment_findings, keep
from nomock.loading import load
from nomock.project import resolve
from nomock.quality.left import Contracts, left

FILE = """\
services:
  api:
    build: ./api
    command: [uvicorn, "app.main:app"]
    environment:
      DATABASE_URL: postgresql://shop:secret@db:5432/shop
      REDIS_HOST: cache
      POOL_SIZE: "5"
      DEBUG: "1"
    ports: ["8080:8000"]
  db:
    image: postgres:17
    environment:
      POSTGRES_USER: shop
      POSTGRES_PASSWORD: secret
      POSTGRES_DB: shop
    ports: ["5433:5432"]
  cache:
    image: redis:8
  web:
    build: ./web
    environment:
      API_URL: http://api:8000
"""
SOURCE = """\
import os

URL = os.environ["DATABASE_URL"]
REDIS = os.environ.get("REDIS_HOST", "cache")
POOL = int(os.environ.get("POOL_SIZE", 5))
DEBUG = bool(os.environ.get("DEBUG"))
"""


def write(tiny: Tiny, file: str = FILE, source: str = SOURCE) -> None:
    tiny.compose_text(file)
    tiny.write("api/Dockerfile", "FROM python:3.13\nCOPY app /app\n")
    tiny.write("api/app/main.py", source)
    tiny.write("web/Dockerfile", "FROM node:24\nCOPY . .\n")
    tiny.write("web/index.js", "fetch(process.env.API_URL)\n")


def found(tiny: Tiny) -> list[str]:
    """Return the findings as text: each with its mark, and its cure."""
    findings, _ = environment_findings(resolve(load(tiny.path, {})))
    return [f"{'!' if f.is_certain else '-'} {f} -> {f.cure}" for f in findings]


def test_nothing_should_be_found_when_all_fits(tiny: Tiny) -> None:
    write(tiny)
    assert found(tiny) == []


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        (
            {
                "DATABASE_URL:": "DATABSE_URL:",
                'POOL_SIZE: "5"': "POOL_SIZE: 5s",
                'DEBUG: "1"': 'DEBUG: "false"',
                "POSTGRES_PASSWORD:": "POSTGRES_PASWORD:",
                "API_URL:": "APPI_URL:",
            },
            [
                (
                    "! api: DATABSE_URL is set, and nothing reads it (set at docker-compose.yml:6,"
                    " read at api/app/main.py:3) -> DATABASE_URL?"
                ),
                (
                    "! api: POOL_SIZE has a value that will not do: it is no whole number (set at"
                    " docker-compose.yml:8, read at api/app/main.py:5) -> the code wants: whole"
                    " number"
                ),
                (
                    "! api: DEBUG has a value that will not do: it is taken for true, as bool()"
                    " takes every text but an empty one (set at docker-compose.yml:9, read at"
                    " api/app/main.py:6) -> compare the text in the code, or leave the variable out"
                ),
                (
                    "! db: none of POSTGRES_HOST_AUTH_METHOD, POSTGRES_PASSWORD,"
                    " POSTGRES_PASSWORD_FILE is set, and postgres:17 does not start so -> set one"
                    " of them"
                ),
                (
                    "! db: POSTGRES_PASWORD is set, and postgres:17 does not read it (set at"
                    " docker-compose.yml:15) -> POSTGRES_PASSWORD?"
                ),
                (
                    "! web: APPI_URL is set, and nothing reads it (set at docker-compose.yml:23,"
                    " read at web/index.js:1) -> API_URL?"
                ),
            ],
        ),
        (
            {
                "      DATABASE_URL: postgresql://shop:secret@db:5432/shop\n": "",
                "REDIS_HOST: cache": "REDIS_HOST: POSTGRES_USER",
                "http://api:8000": "http://api:8080",
            },
            [
                (
                    "! api: DATABASE_URL is not set, and it needs it to start (read at"
                    " api/app/main.py:3) -> set it in environment or env_file of api"
                ),
                (
                    "! api: REDIS_HOST is the word POSTGRES_USER, the name of a variable (set at"
                    " docker-compose.yml:6, read at api/app/main.py:4) -> write ${POSTGRES_USER}"
                ),
                (
                    "! web: API_URL names port 8080 of api, which is that of this machine (set at"
                    " docker-compose.yml:22, read at web/index.js:1) -> between services it is 8000"
                ),
            ],
        ),
        (
            {
                "@db:5432": "@db2:5432",
                "REDIS_HOST: cache": "REDIS_HOST: $${CACHE}",
                'DEBUG: "1"': "DEBUG: cachee:6379",
            },
            [
                (
                    "! api: DATABASE_URL names the host db2, and there is no such service (set at"
                    " docker-compose.yml:6, read at api/app/main.py:3) -> db?"
                ),
                (
                    "! api: DEBUG names the host cachee, and there is no such service (set at"
                    " docker-compose.yml:9, read at api/app/main.py:6) -> cache?"
                ),
                (
                    "- api: REDIS_HOST still has ${CACHE} in it, which nobody puts a value for (set"
                    " at docker-compose.yml:7, read at api/app/main.py:4) -> write the value, or"
                    " let compose put it in: one $, in a compose file or .env"
                ),
            ],
        ),
        (
            {
                "@db:5432": "@db:5433",
            },
            [
                (
                    "! api: DATABASE_URL names port 5433 of db, which is that of this machine (set"
                    " at docker-compose.yml:6, read at api/app/main.py:3) -> between services it is"
                    " 5432"
                ),
            ],
        ),
        (
            {
                "@db:5432": "@db:5434",
                "/shop\n": "/shopp\n",
                "shop:secret@": "shop:sekret@",
            },
            [
                (
                    "! api: DATABASE_URL names port 5434 of db, which listens at 5432 (set at"
                    " docker-compose.yml:6, read at api/app/main.py:3) -> write 5432"
                ),
                (
                    "! api: DATABASE_URL names the database shopp, and db makes shop (set at"
                    " docker-compose.yml:6, read at api/app/main.py:3) -> write shop, unless"
                    " somebody else makes the other one"
                ),
                (
                    "! api: DATABASE_URL has another password than POSTGRES_PASSWORD of db (set at"
                    " docker-compose.yml:6, read at api/app/main.py:3) -> write the same for both,"
                    " as ${POSTGRES_PASSWORD}"
                ),
            ],
        ),
        (
            {
                "shop:secret@": "admin:secret@",
            },
            [
                (
                    "- api: DATABASE_URL names another user than the one that db makes, shop (set"
                    " at docker-compose.yml:6, read at api/app/main.py:3) -> write shop, unless"
                    " somebody else makes that user"
                ),
            ],
        ),
        (
            {
                "@db:5432": "@localhost:5432",
            },
            [
                (
                    "- api: DATABASE_URL names localhost, which in a container is the container"
                    " itself (set at docker-compose.yml:6, read at api/app/main.py:3) -> name the"
                    " service: db"
                ),
            ],
        ),
    ],
    ids=[
        "misspelt and of another kind",
        "missing",
        "no such host",
        "a port of this machine",
        "another account",
        "another user",
        "localhost",
    ],
)
def test_what_does_not_fit_should_be_named_with_both_places_when_lines_are_wrong(
    tiny: Tiny, changes: dict[str, str], expected: list[str]
) -> None:
    file = FILE
    for old, new in changes.items():
        assert old in file
        file = file.replace(old, new)
    write(tiny, file)
    assert sorted(found(tiny)) == sorted(expected)


def test_a_host_should_be_named_when_no_network_leads_to_it(tiny: Tiny) -> None:
    apart = FILE.replace("    image: redis:8\n", "    image: redis:8\n    networks: [back]\n")
    write(tiny, apart + "networks: {back: }\n")
    assert found(tiny) == [
        "- api: REDIS_HOST names the host cache, and that is in no network of this service (set at"
        " docker-compose.yml:7, read at api/app/main.py:4)"
        " -> give both a network: networks of cache"
    ]


def test_a_value_should_not_be_shown_when_it_is_wrong(tiny: Tiny) -> None:
    write(tiny, FILE.replace('POOL_SIZE: "5"', "POOL_SIZE: hunter2"))
    assert "hunter2" not in "".join(found(tiny))


def test_a_variable_should_be_set_when_an_env_file_an_anchor_or_an_extended_file_has_it(
    tiny: Tiny,
) -> None:
    write(
        tiny,
        """\
x-pool: &pool {POOL_SIZE: "5", UNREAD_BY_WEB: "1"}
services:
  api:
    extends: {file: base.yml, service: base}
    build: ./api
    command: [uvicorn, "app.main:app"]
    env_file: [api.env, {path: missing.env, required: false}]
    environment: *pool
  web:
    build: ./web
    environment: {<<: *pool, API_URL: http://api:8000}
  tools:
    profiles: [tools]
    build: ./api
    command: [uvicorn, "app.main:app"]
""",
        SOURCE + 'OTHER = os.environ["UNREAD_BY_WEB"]\nBASE = os.environ["OF_BASE"]\n',
    )
    tiny.write("api.env", "DATABASE_URL=postgresql://x/y\n")
    tiny.write("base.yml", "services: {base: {image: x, environment: {OF_BASE: '1'}}}")
    assert found(tiny) == [
        "! api: DATABASE_URL names the host x, and there is no such service (set at api.env:1, read"
        " at api/app/main.py:3) -> the services are api, web"
    ]


def test_a_variable_should_count_as_set_when_the_image_or_a_script_sets_it(tiny: Tiny) -> None:
    write(tiny, FILE.replace("      DATABASE_URL: postgresql://shop:secret@db:5432/shop\n", ""))
    tiny.write("api/Dockerfile", "FROM python:3.13\nENV DATABASE_URL=sqlite:///x\nCOPY app /app\n")
    assert found(tiny) == []
    tiny.write("api/Dockerfile", 'FROM python:3.13\nCOPY . /\nENTRYPOINT ["/run.sh"]\n')
    assert len(found(tiny)) == 1
    tiny.write("api/run.sh", "#!/bin/sh\nexport DATABASE_URL=sqlite:///x\nexec $@\n")
    assert found(tiny) == []


def test_only_what_its_image_copies_should_count_when_services_share_a_context(tiny: Tiny) -> None:
    tiny.compose_text(
        """\
services:
  a: {build: {context: ., dockerfile: a.Dockerfile}, environment: {A_TOKEN: x}}
  b: {build: {context: ., dockerfile: b.Dockerfile}, environment: {B_TOKEN: x}}
"""
    )
    for name in ("a", "b"):
        tiny.write(
            f"{name}.Dockerfile", f'FROM x\nCOPY {name} /{name}\nCMD ["python", "-m", "{name}"]'
        )
        tiny.write(f"{name}/__main__.py", f'import os\nos.environ["{name.upper()}_TOKEN"]')
    assert found(tiny) == []
    tiny.write("b/__main__.py", 'import os\nos.environ["A_TOKEN"]')
    assert found(tiny)[0] == (
        "! b: A_TOKEN is not set, and it needs it to start (read at b/__main__.py:2)"
        " -> set it in environment or env_file of b"
    )


def test_nothing_should_be_said_of_missing_variables_when_the_start_is_not_known(
    tiny: Tiny,
) -> None:
    write(tiny, FILE.replace('[uvicorn, "app.main:app"]', "[/usr/bin/start-of-the-image]"))
    tiny.write("api/app/other.py", 'import os\nX = os.environ["NEEDED_BY_A_TOOL"]\n')
    assert found(tiny) == []


def test_a_context_should_be_read_when_it_is_a_link_and_has_broken_ones(tiny: Tiny) -> None:
    write(tiny, FILE.replace("build: ./api", "build: ./linked").replace("DATABASE_URL:", "X_URL:"))
    tiny.path.joinpath("linked").symlink_to("api")
    tiny.path.joinpath("api/app/broken.py").symlink_to("nowhere.py")
    tiny.path.joinpath("api/app/loop").symlink_to(".")
    assert [line.partition(" (")[0] for line in found(tiny)] == [
        "! api: DATABASE_URL is not set, and it needs it to start",
        "- api: X_URL is set, and nothing reads it",
    ]


def test_the_command_should_print_each_finding_and_end_with_1_when_one_is_certain(
    tiny: Tiny,
) -> None:
    write(tiny, FILE.replace("@db:5432", "@db2:5432"))
    done = tiny.nomock("contracts")
    assert done.ret == 1
    done.stdout.fnmatch_lines(
        [
            "environment variables: 8 read or set, 1 wrong, 0 perhaps",
            "  ! api: DATABASE_URL names the host db2, and there is no such service (set at "
            "docker-compose.yml:6,",
            "    read at api/app/main.py:3)",
            "    -> db?",
        ]
    )
    told = checked("contracts", tiny.nomock("contracts", "--json").stdout.str())
    assert [one["variable"] for one in told["findings"]] == ["DATABASE_URL"]


def test_the_command_should_end_with_0_when_all_fits(tiny: Tiny) -> None:
    write(tiny)
    done = tiny.nomock("contracts")
    assert done.ret == 0
    assert done.stdout.str().strip() == "environment variables: 8 read or set, all fit"


def test_the_command_should_say_what_is_missing_when_an_env_file_is_not_there(tiny: Tiny) -> None:
    write(tiny, FILE.replace("    build: ./web\n", "    build: ./web\n    env_file: gone.env\n"))
    done = tiny.nomock("contracts")
    assert done.ret == 1
    done.stderr.fnmatch_lines(["*gone.env not found*"])


def test_the_findings_should_be_left_for_the_page_of_quality_when_the_command_ends(
    tiny: Tiny,
) -> None:
    write(tiny, FILE.replace("@db:5432", "@db2:5432"))
    state_dir = load(tiny.path, {}).state_dir
    keep(state_dir, "another check", 3, ["one"])
    keep(state_dir, "environment variables", 1, ["of before"])
    tiny.nomock("contracts")
    kept = left(state_dir, Contracts)
    assert kept is not None
    assert [(one.name, one.checked) for one in kept.checks] == [
        ("another check", 3),
        ("environment variables", 8),
    ]
    (finding,) = kept.checks[1].findings
    assert finding.startswith("api: DATABASE_URL names the host db2")
