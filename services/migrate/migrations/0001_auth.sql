-- The authorization server: who there is, which clients may act for them, and what was issued.
CREATE SCHEMA auth;

CREATE TABLE auth.tenants (
    tenant_id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    name text NOT NULL UNIQUE,
    tier text NOT NULL DEFAULT 'free' CHECK (tier IN ('free', 'pro', 'enterprise')),
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE auth.users (
    user_id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    tenant_id uuid NOT NULL REFERENCES auth.tenants ON DELETE CASCADE,
    name text NOT NULL UNIQUE,
    password_hash text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX ON auth.users (tenant_id);

-- A client without secret_hash is public: it proves itself by PKCE alone.
CREATE TABLE auth.clients (
    client_id text PRIMARY KEY,
    client_name text NOT NULL,
    secret_hash text,
    registration_token_hash text UNIQUE,
    token_endpoint_auth_method text NOT NULL
        CHECK (token_endpoint_auth_method IN ('none', 'client_secret_basic', 'client_secret_post')),
    redirect_uris text[] NOT NULL DEFAULT '{}',
    grant_types text[] NOT NULL,
    scope text NOT NULL,
    access_token_lifetime_s integer NOT NULL DEFAULT 300
        CHECK (access_token_lifetime_s BETWEEN 1 AND 3600),
    token_requests_per_minute integer NOT NULL DEFAULT 60 CHECK (token_requests_per_minute > 0),
    created_at timestamptz NOT NULL DEFAULT now(),
    CHECK ((secret_hash IS NULL) = (token_endpoint_auth_method = 'none'))
);
CREATE INDEX ON auth.clients (client_name);

-- A grant is one consent of a user to a client; every token made of it dies with it.
CREATE TABLE auth.grants (
    grant_id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    client_id text NOT NULL REFERENCES auth.clients ON DELETE CASCADE,
    user_id uuid NOT NULL REFERENCES auth.users ON DELETE CASCADE,
    code_hash text NOT NULL UNIQUE,
    scope text NOT NULL,
    audience text NOT NULL,
    revoked_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX ON auth.grants (client_id);
CREATE INDEX ON auth.grants (user_id);

-- Access tokens are known by token_id, their jti; refresh tokens by their hash.
CREATE TABLE auth.tokens (
    token_id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    grant_id uuid NOT NULL REFERENCES auth.grants ON DELETE CASCADE,
    client_id text NOT NULL REFERENCES auth.clients ON DELETE CASCADE,
    kind text NOT NULL CHECK (kind IN ('access', 'refresh')),
    token_hash text UNIQUE,
    scope text NOT NULL,
    audience text NOT NULL,
    expires_at timestamptz NOT NULL,
    used_at timestamptz,
    revoked_at timestamptz,
    CHECK ((token_hash IS NOT NULL) = (kind = 'refresh'))
);
CREATE INDEX ON auth.tokens (grant_id);
CREATE INDEX ON auth.tokens (client_id);

CREATE TABLE auth.signing_keys (
    kid text PRIMARY KEY,
    jwk jsonb NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);

GRANT USAGE ON SCHEMA auth TO auth_service;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA auth TO auth_service;
