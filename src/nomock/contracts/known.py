"""Variables that are known without a source: of images, of packages, of those who run containers.

An image that does not stand here is not judged.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class KnownImage:
    """What the page of an image says of its variables."""

    prefix: str
    """Variables that begin so are the image's own; others are not judged."""
    names: frozenset[str]
    port: int
    one_of: frozenset[str] = frozenset()
    """One of these has to be set, or the first start of the image ends at once."""
    schemes: tuple[str, ...] = ()
    """Of the URLs by which clients name it."""
    user: str = ""
    """The variable of the user that is made."""
    password: str = ""
    database: str = ""
    default_user: str = ""


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


_POSTGRES = KnownImage(
    # https://hub.docker.com/_/postgres
    "POSTGRES_",
    _names(
        "POSTGRES_PASSWORD POSTGRES_USER POSTGRES_DB POSTGRES_INITDB_ARGS POSTGRES_INITDB_WALDIR"
        " POSTGRES_HOST_AUTH_METHOD POSTGRES_PASSWORD_FILE POSTGRES_USER_FILE POSTGRES_DB_FILE"
        " POSTGRES_INITDB_ARGS_FILE"
    ),
    5432,
    _names("POSTGRES_PASSWORD POSTGRES_PASSWORD_FILE POSTGRES_HOST_AUTH_METHOD"),
    ("postgres", "postgresql", "psql", "pgsql", "postgis", "jdbc:postgresql"),
    "POSTGRES_USER",
    "POSTGRES_PASSWORD",
    "POSTGRES_DB",
    "postgres",
)
_MYSQL = KnownImage(
    # https://hub.docker.com/_/mysql
    "MYSQL_",
    _names(
        "MYSQL_ROOT_PASSWORD MYSQL_DATABASE MYSQL_USER MYSQL_PASSWORD MYSQL_ALLOW_EMPTY_PASSWORD"
        " MYSQL_RANDOM_ROOT_PASSWORD MYSQL_ONETIME_PASSWORD MYSQL_INITDB_SKIP_TZINFO"
        " MYSQL_ROOT_HOST MYSQL_ROOT_PASSWORD_FILE MYSQL_DATABASE_FILE MYSQL_USER_FILE"
        " MYSQL_PASSWORD_FILE MYSQL_ROOT_HOST_FILE MYSQL_PWD MYSQL_TCP_PORT"
    ),
    3306,
    _names(
        "MYSQL_ROOT_PASSWORD MYSQL_ROOT_PASSWORD_FILE MYSQL_ALLOW_EMPTY_PASSWORD"
        " MYSQL_RANDOM_ROOT_PASSWORD"
    ),
    ("mysql", "mariadb", "jdbc:mysql"),
    "MYSQL_USER",
    "MYSQL_PASSWORD",
    "MYSQL_DATABASE",
)
_MARIADB = KnownImage(
    # https://hub.docker.com/_/mariadb, which takes MYSQL_ and MARIADB_ alike
    "MARIADB_",
    frozenset(name.replace("MYSQL_", "MARIADB_") for name in _MYSQL.names)
    | _names("MARIADB_ROOT_PASSWORD_HASH MARIADB_PASSWORD_HASH MARIADB_ALLOW_EMPTY_ROOT_PASSWORD")
    | _names("MARIADB_AUTO_UPGRADE MARIADB_DISABLE_UPGRADE_BACKUP MARIADB_MYSQL_LOCALHOST_USER")
    | _names("MARIADB_MYSQL_LOCALHOST_GRANTS MARIADB_HEALTHCHECK_GRANTS MARIADB_MASTER_HOST")
    | _names("MARIADB_REPLICATION_USER MARIADB_REPLICATION_PASSWORD_HASH MARIADB_MASTER_PORT")
    | _names("MARIADB_REPLICATION_PASSWORD"),
    3306,
    _MYSQL.one_of
    | frozenset(name.replace("MYSQL_", "MARIADB_") for name in _MYSQL.one_of)
    | _names("MARIADB_ROOT_PASSWORD_HASH MARIADB_ALLOW_EMPTY_ROOT_PASSWORD"),
    _MYSQL.schemes,
)
_MONGO = KnownImage(
    # https://hub.docker.com/_/mongo
    "MONGO_",
    _names(
        "MONGO_INITDB_ROOT_USERNAME MONGO_INITDB_ROOT_PASSWORD MONGO_INITDB_DATABASE"
        " MONGO_INITDB_ROOT_USERNAME_FILE MONGO_INITDB_ROOT_PASSWORD_FILE"
    ),
    27017,
    schemes=("mongodb",),
    user="MONGO_INITDB_ROOT_USERNAME",
    password="MONGO_INITDB_ROOT_PASSWORD",
)
_RABBITMQ = KnownImage(
    # https://hub.docker.com/_/rabbitmq and its own list of variables
    "RABBITMQ_DEFAULT_",
    _names("RABBITMQ_DEFAULT_USER RABBITMQ_DEFAULT_PASS RABBITMQ_DEFAULT_VHOST"),
    5672,
    schemes=("amqp", "amqps", "pyamqp"),
    user="RABBITMQ_DEFAULT_USER",
    password="RABBITMQ_DEFAULT_PASS",
    default_user="guest",
)
_REDIS = KnownImage("REDIS_NONE_", frozenset(), 6379, schemes=("redis", "rediss", "valkey"))

IMAGES: Mapping[str, KnownImage] = {
    "postgres": _POSTGRES,
    "postgis": _POSTGRES,
    "pgvector": _POSTGRES,
    "timescaledb": _POSTGRES,
    "mysql": _MYSQL,
    "mariadb": _MARIADB,
    "mongo": _MONGO,
    "rabbitmq": _RABBITMQ,
    "redis": _REDIS,
    "valkey": _REDIS,
}

# Set by the engine, by Kubernetes, or by a base image for whoever runs in it.
BY_OTHERS = _names(
    "HOME HOSTNAME PATH PWD USER SHELL LANG LC_ALL TERM TMPDIR TZ SHLVL LOGNAME OLDPWD EDITOR"
    " PYTHON_VERSION KUBERNETES_SERVICE_HOST KUBERNETES_SERVICE_PORT"
    " KUBERNETES_SERVICE_PORT_HTTPS CI PORT"
)

# Read by interpreters, servers, clients and SDKs by themselves, so that no source of a service
# names them.
_BY_PACKAGES = re.compile(
    r"(PYTHON|PIP_|UV_|UVICORN_|GUNICORN_|HYPERCORN_|WEB_CONCURRENCY$|FORWARDED_ALLOW_IPS$"
    r"|WATCHFILES_|DJANGO_|FLASK_|CELERY_|FLOWER_|C_FORCE_ROOT$|STARLETTE_|FASTAPI_|DD_|SENTRY_"
    r"|OTEL_|AWS_|GOOGLE_|GCP_|AZURE_|CLOUDSDK_|PG[A-Z]+$|REQUESTS_|SSL_|CURL_CA_BUNDLE$"
    r"|HTTPX?_|https?_proxy$|HTTPS?_PROXY$|no_proxy$|NO_PROXY$|ALL_PROXY$|OPENAI_|ANTHROPIC_"
    r"|HF_|TRANSFORMERS_|TORCH_|CUDA_|NVIDIA_|OMP_|MKL_|OPENBLAS_|NUMBA_|TOKENIZERS_|MPLCONFIG"
    r"|PROMETHEUS_|LOGURU_|STREAMLIT_|GRADIO_|JUPYTER_|AIRFLOW_|PREFECT_|DAGSTER_|MLFLOW_|DBT_"
    r"|NODE_|NPM_|YARN_|NEXT_|VITE_|REACT_APP_|CHOKIDAR_|WDS_|NG_|BUN_|DENO_|ASPNETCORE_|DOTNET_"
    r"|JAVA_|JDK_|JVM_|MAVEN_|SPRING_|GRADLE_|GO[A-Z]+$|GIN_|RUST_|CARGO_|RAILS_|RACK_|BUNDLE_"
    r"|GEM_|APP_ENV$|APP_DEBUG$|PHP_|APACHE_|COMPOSER_|SYMFONY_|LARAVEL_|NGINX_|DOCKER_|COMPOSE_"
    r"|DEBIAN_FRONTEND$|LD_|MALLOC_|TZ$|LANG$|LC_|LANGUAGE$|TERM$|HOME$|PATH$|USER$|PS1$|UID$|GID$"
    r"|PUID$|PGID$|COLUMNS$|LINES$|FORCE_COLOR$|NO_COLOR$|CLICOLOR|COLORTERM$|DISPLAY$|XDG_"
    r"|IPYTHONDIR$|PLAYWRIGHT_|PUPPETEER_|CYPRESS_|SELENIUM_|SE_|COVERAGE_|NOMOCK_|DEBUGPY_|PYDEVD_|VIRTUAL_ENV$|VIRTUAL_HOST$|LETSENCRYPT_)",
)


def known_image(image: str) -> KnownImage | None:
    """Return what is known of an image by its name; None of one that is not known.

    >>> known_image("docker.io/library/postgres:17-alpine").port
    5432
    """
    name = image.partition("@")[0].rpartition("/")[2].partition(":")[0]
    return IMAGES.get(name)


def is_read_by_packages(name: str) -> bool:
    """Tell whether a variable is one that packages read by themselves."""
    return bool(_BY_PACKAGES.match(name))
