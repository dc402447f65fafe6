"""What the standards say of the messages of OAuth, as JSON Schema, one for each kind of message.

A schema has what the standard demands and what it says of optional members; of members that it does
not know it says nothing, as the standards allow them.
"""

from collections.abc import Mapping
from typing import Any

from jsonschema import Draft202012Validator

Schema = Mapping[str, Any]

# RFC 6749 appendix A: what a scope and the words of an error are made of.
_SCOPE = {"type": "string", "pattern": r"^[!#-\[\]-~]+( [!#-\[\]-~]+)*$"}
_WORDS = {"type": "string", "pattern": r"^[ !#-\[\]-~]+$"}
# RFC 3986: absolute, without a fragment.
_URL = {"type": "string", "pattern": r"^https?://[^\s/?#]+[^\s#]*$"}
_STRINGS = {"type": "array", "items": {"type": "string"}, "minItems": 1, "uniqueItems": True}
_SECONDS = {"type": "integer", "minimum": 0}
_AUDIENCE = {"anyOf": [{"type": "string"}, _STRINGS]}


def _of(required: str, **members: Any) -> Schema:
    return {"type": "object", "required": required.split(), "properties": members}


SERVER_METADATA = _of(  # RFC 8414, section 2; RFC 9207, section 3; RFC 7636 for the challenge
    "issuer authorization_endpoint token_endpoint response_types_supported",
    issuer={"type": "string", "pattern": r"^https?://[^\s?#]+$"},
    authorization_endpoint=_URL,
    token_endpoint=_URL,
    jwks_uri=_URL,
    registration_endpoint=_URL,
    revocation_endpoint=_URL,
    introspection_endpoint=_URL,
    scopes_supported=_STRINGS,
    response_types_supported=_STRINGS,
    grant_types_supported=_STRINGS,
    token_endpoint_auth_methods_supported=_STRINGS,
    code_challenge_methods_supported={**_STRINGS, "contains": {"const": "S256"}},
    authorization_response_iss_parameter_supported={"type": "boolean"},
)
RESOURCE_METADATA = _of(  # RFC 9728, section 2
    "resource",
    resource=_URL,
    authorization_servers={**_STRINGS, "items": SERVER_METADATA["properties"]["issuer"]},
    scopes_supported=_STRINGS,
    bearer_methods_supported={**_STRINGS, "items": {"enum": ["header", "body", "query"]}},
)
KEY_SET = _of(  # RFC 7517, section 5; of a key on a curve: RFC 7518, section 6.2; no private part
    "keys",
    keys={
        "type": "array",
        "minItems": 1,
        "items": {
            **_of(
                "kty crv x y kid",
                kty={"const": "EC"},
                crv={"enum": ["P-256", "P-384", "P-521"]},
                x={"type": "string", "pattern": r"^[\w-]{43,88}$"},
                y={"type": "string", "pattern": r"^[\w-]{43,88}$"},
                use={"const": "sig"},
            ),
            "not": {"required": ["d"]},
        },
    },
)
TOKENS = _of(  # RFC 6749, section 5.1; RFC 6750 for the type
    "access_token token_type",
    access_token={"type": "string", "pattern": r"^[\x21-\x7e]+$"},
    token_type={"type": "string", "pattern": "^(?i:bearer)$"},
    expires_in={**_SECONDS, "exclusiveMinimum": 0},
    refresh_token={"type": "string", "pattern": r"^[\x21-\x7e]+$"},
    scope=_SCOPE,
)
EXCHANGED = {  # RFC 8693, section 2.2.1
    **TOKENS,
    "required": [*TOKENS["required"], "issued_token_type"],
    "properties": {**TOKENS["properties"], "issued_token_type": {"pattern": "^urn:ietf:params:"}},
}
TOKEN_ERROR = _of(  # RFC 6749, section 5.2; RFC 8707, section 2, has the last one
    "error",
    error={
        "enum": [
            "invalid_request",
            "invalid_client",
            "invalid_grant",
            "unauthorized_client",
            "unsupported_grant_type",
            "invalid_scope",
            "invalid_target",
        ]
    },
    error_description=_WORDS,
    error_uri=_URL,
)
INTROSPECTION = {  # RFC 7662, section 2.2: of a token that is not active nothing else is told
    **_of("active", active={"type": "boolean"}),
    "if": {"properties": {"active": {"const": True}}},
    "then": _of(
        "active",
        scope=_SCOPE,
        client_id={"type": "string"},
        username={"type": "string"},
        token_type={"type": "string"},
        exp=_SECONDS,
        iat=_SECONDS,
        nbf=_SECONDS,
        sub={"type": "string"},
        aud=_AUDIENCE,
        iss=_URL,
        jti={"type": "string"},
    ),
    "else": {"maxProperties": 1},
}
CLIENT = {  # RFC 7591, section 3.2.1; RFC 7592, section 3
    **_of(
        "client_id registration_access_token registration_client_uri",
        client_id={"type": "string"},
        client_id_issued_at=_SECONDS,
        client_secret={"type": "string"},
        client_secret_expires_at=_SECONDS,
        registration_access_token={"type": "string"},
        registration_client_uri=_URL,
        redirect_uris=_STRINGS,
        grant_types=_STRINGS,
        response_types=_STRINGS,
    ),
    "dependentRequired": {"client_secret": ["client_secret_expires_at"]},
}
ACCESS_TOKEN_HEADER = _of(  # RFC 9068, section 2.1
    "typ alg",
    typ={"type": "string", "pattern": r"^(?i:(application/)?at\+jwt)$"},
    alg={"type": "string", "not": {"const": "none"}},
)
ACCESS_TOKEN_CLAIMS = _of(  # RFC 9068, section 2.2
    "iss exp aud sub client_id iat jti",
    iss=_URL,
    exp=_SECONDS,
    aud=_AUDIENCE,
    sub={"type": "string"},
    client_id={"type": "string"},
    iat=_SECONDS,
    jti={"type": "string", "minLength": 1},
    scope=_SCOPE,
)


def breaches(message: Any, schema: Schema) -> list[str]:
    """Return how a message differs from what a standard says of it, a line for each."""
    errors = Draft202012Validator(schema).iter_errors(message)
    return sorted(f"{error.json_path}: {error.message}" for error in errors)
