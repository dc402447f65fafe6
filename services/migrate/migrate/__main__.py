"""Run as `python3 -m migrate`; running it again changes nothing that is there."""

import logging
import sys
from pathlib import Path

import psycopg
from psycopg import sql
from shared import hashes, logs, settings
from shared.waits import whole_s

MIGRATIONS = Path(__file__).parent.parent / "migrations"
SERVICES = ("auth", "instances", "worker", "billing")
# Two runs at once take turns; the number only has to be the same everywhere.
LOCK = 7_207_001
TOKEN_EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
SCOPES = "instances:read instances:write"

log = logging.getLogger("migrate")
Connection = psycopg.Connection[tuple[object, ...]]


def create_roles(conn: Connection) -> None:
    """Create the roles of the services, or give those that exist the passwords of today."""
    known = {row[0] for row in conn.execute("SELECT rolname FROM pg_roles")}
    for service in SERVICES:
        role = f"{service}_service"
        verb = sql.SQL("ALTER" if role in known else "CREATE")
        password = settings.text(f"{service.upper()}_DATABASE_PASSWORD")
        statement = sql.SQL("{} ROLE {} LOGIN PASSWORD {}")
        conn.execute(statement.format(verb, sql.Identifier(role), sql.Literal(password)))


def apply_migrations(conn: Connection, folder: Path) -> list[str]:
    """Apply, in order and one transaction each, the files not yet recorded; return their names."""
    conn.execute(
        "CREATE TABLE IF NOT EXISTS public.schema_migrations"
        " (name text PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now())"
    )
    done = {row[0] for row in conn.execute("SELECT name FROM public.schema_migrations")}
    fresh = [path for path in sorted(folder.glob("*.sql")) if path.name not in done]
    for path in fresh:
        with conn.transaction():
            conn.execute(path.read_bytes())
            conn.execute("INSERT INTO public.schema_migrations (name) VALUES (%s)", [path.name])
        log.info("migration applied", extra={"migration": path.name})
    return [path.name for path in fresh]


def seed_client(
    conn: Connection, client_id: str, secret: str, grant_types: list[str], *redirect_uris: str
) -> None:
    """Make the confidential client of a service that verifies, exchanges or gets tokens."""
    # These ask on behalf of every user there is, so the limit of an ordinary client is too low.
    conn.execute(
        "INSERT INTO auth.clients (client_id, client_name, secret_hash, grant_types, redirect_uris,"
        "  scope, token_endpoint_auth_method, token_requests_per_minute)"
        " VALUES (%s, %s, %s, %s, %s, %s, 'client_secret_basic', 60000)"
        " ON CONFLICT (client_id) DO UPDATE SET secret_hash = excluded.secret_hash,"
        "  grant_types = excluded.grant_types, redirect_uris = excluded.redirect_uris",
        [
            *(client_id, f"the {client_id} service", hashes.digest(secret)),
            *(grant_types, list(redirect_uris), SCOPES),
        ],
    )


def main() -> None:
    """Bring the database up to date."""
    url, connect_s = settings.text("DATABASE_URL"), whole_s(settings.seconds("DATABASE_S"))
    with psycopg.connect(url, autocommit=True, connect_timeout=connect_s) as conn:
        conn.execute("SELECT pg_advisory_lock(%s)", [LOCK])
        create_roles(conn)
        applied = apply_migrations(conn, MIGRATIONS)
        seed_client(
            conn,
            "instances",
            settings.text("INSTANCES_CLIENT_SECRET"),
            ["authorization_code"],
            settings.text("INSTANCES_REDIRECT_URI"),
        )
        seed_client(conn, "mcp", settings.text("MCP_CLIENT_SECRET"), [TOKEN_EXCHANGE])
        seed_client(conn, "billing", settings.text("BILLING_CLIENT_SECRET"), ["client_credentials"])
        log.info("schema up to date", extra={"applied": applied})


if __name__ == "__main__":
    logs.configure("migrate")
    try:
        main()
    except (psycopg.Error, settings.SettingError) as error:
        log.error("migration failed", extra={"error": f"{type(error).__name__}: {error}"})
        sys.exit(1)
