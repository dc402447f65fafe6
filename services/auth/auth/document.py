"""The OpenAPI document: what programs may ask of this server; `/authorize` is for people.

Starlette publishes none by itself. The bodies are those of the models that read them.
"""

from typing import Any

from auth import clients, grants, users
from auth.forms import FORM

Object = dict[str, Any]

TEXT: Object = {"type": "string"}
NUMBER: Object = {"type": "integer", "minimum": 0}
ERROR: Object = {
    "type": "object",
    "required": ["error", "error_description"],
    "properties": {"error": TEXT, "error_description": TEXT},
}
TOKENS = {"access_token": TEXT, "token_type": {"const": "Bearer"}, "expires_in": NUMBER}
NO_CLIENT = [{}, {"basic": []}]


def _object(properties: Object, *optional: str, more: bool = False) -> Object:
    required = [name for name in properties if name not in optional]
    closed = {} if more else {"additionalProperties": False}
    return {"type": "object", "required": required, "properties": properties, **closed}


def _json(schema: Object) -> Object:
    return {"content": {"application/json": {"schema": schema}}}


def _operation(summary: str, answer: Object | None, status: int = 200, **more: Any) -> Object:
    good = {"description": summary, **(_json(answer) if answer is not None else {})}
    refused = {"description": "The request is refused", **_json(ERROR)}
    away = {"description": "Something that it needs is away", **_json(ERROR)}
    return {"summary": summary, "responses": {status: good, "4XX": refused, 503: away}, **more}


def _form(properties: Object, *optional: str) -> Object:
    schema = _object(properties, *optional, "client_id", "client_secret", more=True)
    credentials = {"client_id": TEXT, "client_secret": TEXT}
    schema["properties"] = {**properties, **credentials}
    content = {FORM: {"schema": schema}}
    return {"requestBody": {"required": True, "content": content}, "security": NO_CLIENT}


def _body(schema: Object) -> Object:
    return {"requestBody": {"required": True, **_json(schema)}}


_METADATA = clients.Metadata.model_json_schema()
_REGISTRATION = _object(
    {
        "client_id": TEXT,
        "client_id_issued_at": NUMBER,
        "registration_client_uri": TEXT,
        "registration_access_token": TEXT,
        "client_secret": TEXT,
        "client_secret_expires_at": {"const": 0},
        **_METADATA["properties"],
    },
    "client_secret",
    "client_secret_expires_at",
)
_CLIENT_ID: Object = {"name": "client_id", "in": "path", "required": True, "schema": TEXT}
_MANAGER: Object = {"security": [{"registration": []}]}
_CREATED = _object({"user_id": TEXT, "tenant_id": TEXT})
_FORM_OF_TOKEN = {
    "grant_type": {"enum": list(grants.GRANTS)},
    **dict.fromkeys(("code", "code_verifier", "redirect_uri", "refresh_token", "scope"), TEXT),
    **dict.fromkeys(("resource", "audience", "subject_token", "subject_token_type"), TEXT),
}

DOCUMENT: Object = {
    "openapi": "3.1.0",
    "info": {"title": "auth", "version": "1.0.0"},
    "paths": {
        "/health": {"get": _operation("Whether it serves", _object({"status": {"const": "ok"}}))},
        "/.well-known/oauth-authorization-server": {
            "get": _operation("Itself (RFC 8414)", _object({"issuer": TEXT}, more=True))
        },
        "/jwks": {"get": _operation("Its keys (RFC 7517)", _object({"keys": {"type": "array"}}))},
        "/users": {
            "post": _operation("Sign up", _CREATED, 201, **_body(users.SignUp.model_json_schema()))
        },
        "/register": {
            "post": _operation(
                "Register a client (RFC 7591)", _REGISTRATION, 201, **_body(_METADATA)
            )
        },
        "/register/{client_id}": {
            "parameters": [_CLIENT_ID],
            "get": _operation("Show it (RFC 7592)", _REGISTRATION, **_MANAGER),
            "put": _operation(
                "Replace it (RFC 7592)", _REGISTRATION, **_body(_METADATA), **_MANAGER
            ),
            "delete": _operation("Remove it (RFC 7592)", None, 204, **_MANAGER),
        },
        "/token": {
            "post": _operation(
                "Issue tokens (RFC 6749)",
                _object(TOKENS, more=True),
                **_form(_FORM_OF_TOKEN, *(name for name in _FORM_OF_TOKEN if name != "grant_type")),
            )
        },
        "/introspect": {
            "post": _operation(
                "Whether a token is good (RFC 7662)",
                _object({"active": {"type": "boolean"}}, more=True),
                **_form({"token": TEXT, "token_type_hint": TEXT}, "token_type_hint"),
            )
        },
        "/revoke": {
            "post": _operation(
                "Revoke a token (RFC 7009)",
                None,
                **_form({"token": TEXT, "token_type_hint": TEXT}, "token_type_hint"),
            )
        },
    },
    "components": {
        "securitySchemes": {
            "basic": {"type": "http", "scheme": "basic"},
            "registration": {"type": "http", "scheme": "bearer"},
        }
    },
}
