-- Billing: what a tenant subscribed to, what the payment provider told about it, and what has to be
-- done at `instances` because of that.
CREATE SCHEMA billing;

-- All amounts are in the currency's minor unit (cents), as whole numbers: they add up exactly.
CREATE TABLE billing.plans (
    plan text PRIMARY KEY,
    size text NOT NULL,
    amount bigint NOT NULL CHECK (amount > 0),
    currency text NOT NULL CHECK (currency ~ '^[A-Z]{3}$')
);
INSERT INTO billing.plans VALUES
    ('small', 'small', 900, 'EUR'), ('medium', 'medium', 1900, 'EUR'), ('large', 'large', 4900, 'EUR');

-- amount and currency are those of the plan on the day: a new price is for new subscriptions.
CREATE TABLE billing.subscriptions (
    subscription_id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    tenant_id uuid NOT NULL REFERENCES auth.tenants ON DELETE CASCADE,
    plan text NOT NULL REFERENCES billing.plans,
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    amount bigint NOT NULL CHECK (amount > 0),
    currency text NOT NULL,
    state text NOT NULL DEFAULT 'pending'
        CHECK (state IN ('pending', 'active', 'past_due', 'cancelled')),
    instance_id uuid,
    refusal text,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX ON billing.subscriptions (tenant_id, created_at);

-- The primary key is what makes an event count once, however often it is sent. amount is what it
-- adds to what was paid: negative for a refund, 0 for an event that is not about money.
CREATE TABLE billing.events (
    event_id text PRIMARY KEY CHECK (length(event_id) BETWEEN 1 AND 255),
    tenant_id uuid NOT NULL REFERENCES auth.tenants ON DELETE CASCADE,
    subscription_id uuid NOT NULL REFERENCES billing.subscriptions ON DELETE CASCADE,
    kind text NOT NULL CHECK (kind IN
        ('payment.succeeded', 'payment.failed', 'payment.refunded', 'subscription.cancelled')),
    sequence bigint NOT NULL CHECK (sequence > 0),
    amount bigint NOT NULL,
    currency text NOT NULL,
    received_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT amount_has_the_sign_of_its_kind CHECK (sign(amount) = CASE kind
        WHEN 'payment.succeeded' THEN 1 WHEN 'payment.refunded' THEN -1 ELSE 0 END)
);
CREATE INDEX ON billing.events (subscription_id, sequence);
CREATE INDEX ON billing.events (tenant_id);

-- What is to be done at `instances`, written in the transaction of the event that asks for it: the
-- transactional outbox. Each kind once a subscription.
CREATE TABLE billing.outbox (
    task_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id uuid NOT NULL REFERENCES auth.tenants ON DELETE CASCADE,
    subscription_id uuid NOT NULL REFERENCES billing.subscriptions ON DELETE CASCADE,
    kind text NOT NULL CHECK (kind IN ('provision', 'deprovision')),
    baggage text NOT NULL DEFAULT '',
    traceparent text NOT NULL DEFAULT '',
    attempts integer NOT NULL DEFAULT 0,
    next_try_at timestamptz NOT NULL DEFAULT now(),
    created_at timestamptz NOT NULL DEFAULT now(),
    done_at timestamptz,
    UNIQUE (subscription_id, kind)
);
CREATE INDEX outbox_open ON billing.outbox (task_id) WHERE done_at IS NULL;
CREATE INDEX ON billing.outbox (tenant_id);

GRANT USAGE ON SCHEMA billing TO billing_service;
GRANT SELECT ON billing.plans TO billing_service;
GRANT SELECT, INSERT, UPDATE ON billing.subscriptions, billing.outbox TO billing_service;
-- Nobody changes or deletes what was booked.
GRANT SELECT, INSERT ON billing.events TO billing_service;

CREATE FUNCTION billing.current_tenant() RETURNS uuid LANGUAGE sql STABLE
    RETURN nullif(current_setting('app.tenant', true), '')::uuid;

ALTER TABLE billing.subscriptions ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE billing.events ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

CREATE POLICY own_tenant ON billing.subscriptions TO billing_service
    USING (tenant_id = billing.current_tenant());
CREATE POLICY own_tenant ON billing.events TO billing_service
    USING (tenant_id = billing.current_tenant());
-- The outbox has no policy: whoever works it off does so for all tenants, and it holds ids alone.

-- A service that acts for a tenant without a user has a grant that names the tenant itself.
ALTER TABLE auth.grants
    ALTER COLUMN user_id DROP NOT NULL,
    ALTER COLUMN code_hash DROP NOT NULL,
    ADD COLUMN tenant_id uuid REFERENCES auth.tenants ON DELETE CASCADE,
    ADD CONSTRAINT grant_is_of_a_user_or_for_a_tenant
        CHECK ((user_id IS NULL) = (tenant_id IS NOT NULL)),
    ADD CONSTRAINT grant_of_a_user_has_a_code CHECK ((user_id IS NULL) = (code_hash IS NULL));
CREATE INDEX ON auth.grants (tenant_id);
