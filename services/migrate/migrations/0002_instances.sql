-- The provisioning API: what may be ordered, what was ordered, and the queue between API and worker.
CREATE SCHEMA instances;

CREATE TABLE instances.tiers (
    tier text PRIMARY KEY,
    max_live integer NOT NULL CHECK (max_live >= 0)
);
INSERT INTO instances.tiers VALUES ('free', 2), ('pro', 10), ('enterprise', 100);

-- capacity: how many instances of a size the racks hold. Orders beyond it are taken and then fail.
CREATE TABLE instances.sizes (
    size text PRIMARY KEY,
    capacity integer NOT NULL CHECK (capacity >= 0)
);
INSERT INTO instances.sizes VALUES
    ('small', 100000), ('medium', 100000), ('large', 100000),
    ('broken', 0);  -- its rack has been taken out for repair

-- Its own row a tenant, because the quota is counted under a lock on it.
CREATE TABLE instances.tenants (
    tenant_id uuid PRIMARY KEY REFERENCES auth.tenants ON DELETE CASCADE,
    tier text NOT NULL REFERENCES instances.tiers
);

CREATE TABLE instances.instances (
    instance_id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    tenant_id uuid NOT NULL REFERENCES instances.tenants ON DELETE CASCADE,
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    size text NOT NULL REFERENCES instances.sizes,
    state text NOT NULL DEFAULT 'requested' CHECK (state IN
        ('requested', 'provisioning', 'running', 'failed', 'deprovisioning', 'deprovisioned')),
    failure_reason text,
    attempts integer NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    -- Live: it holds a name and counts against the quota.
    live boolean NOT NULL GENERATED ALWAYS AS (state NOT IN ('failed', 'deprovisioned')) STORED,
    CONSTRAINT failure_has_a_reason CHECK (state <> 'failed' OR failure_reason IS NOT NULL)
);
CREATE UNIQUE INDEX instances_live_name ON instances.instances (tenant_id, name) WHERE live;
CREATE INDEX ON instances.instances (tenant_id, created_at);

-- answer is json, not jsonb: a repeated order is answered with the same bytes.
CREATE TABLE instances.idempotency_keys (
    tenant_id uuid NOT NULL REFERENCES instances.tenants ON DELETE CASCADE,
    key text NOT NULL CHECK (length(key) BETWEEN 1 AND 255),
    request_hash bytea NOT NULL,
    instance_id uuid NOT NULL REFERENCES instances.instances ON DELETE CASCADE,
    answer json NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, key)
);
CREATE INDEX ON instances.idempotency_keys (instance_id);

CREATE TABLE instances.jobs (
    job_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    instance_id uuid NOT NULL REFERENCES instances.instances ON DELETE CASCADE,
    kind text NOT NULL CHECK (kind IN ('provision', 'deprovision')),
    created_at timestamptz NOT NULL DEFAULT now(),
    done_at timestamptz,
    UNIQUE (instance_id, kind)
);
CREATE INDEX jobs_open ON instances.jobs (job_id) WHERE done_at IS NULL;

-- The primary key is what makes it impossible to provision an instance twice.
CREATE TABLE instances.resources (
    instance_id uuid PRIMARY KEY REFERENCES instances.instances ON DELETE CASCADE,
    size text NOT NULL REFERENCES instances.sizes,
    attempt integer NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX ON instances.resources (size);

-- A trigger, so that whoever queues a job wakes the worker; it is told when the transaction commits.
CREATE FUNCTION instances.announce_job() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NOTIFY instances_jobs;
    RETURN NULL;
END $$;
CREATE TRIGGER announce AFTER INSERT ON instances.jobs
    FOR EACH STATEMENT EXECUTE FUNCTION instances.announce_job();

GRANT USAGE ON SCHEMA instances TO instances_service, worker_service;
GRANT SELECT ON instances.tiers, instances.sizes TO instances_service;
GRANT SELECT, INSERT, UPDATE ON instances.tenants, instances.instances TO instances_service;
GRANT SELECT, INSERT, DELETE ON instances.idempotency_keys TO instances_service;
GRANT INSERT ON instances.jobs TO instances_service;

-- UPDATE of sizes is what PostgreSQL asks of whoever locks a row of it.
GRANT SELECT, UPDATE ON instances.sizes, instances.instances, instances.jobs TO worker_service;
GRANT SELECT, INSERT, DELETE ON instances.resources TO worker_service;

-- Each transaction of the API says for which tenant it works, and sees no other tenant's rows. After
-- a transaction the setting is not unset but empty: nullif makes of both "nobody".
CREATE FUNCTION instances.current_tenant() RETURNS uuid LANGUAGE sql STABLE
    RETURN nullif(current_setting('app.tenant', true), '')::uuid;

ALTER TABLE instances.tenants ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE instances.instances ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE instances.idempotency_keys ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE instances.jobs ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

CREATE POLICY own_tenant ON instances.tenants TO instances_service
    USING (tenant_id = instances.current_tenant());
CREATE POLICY own_tenant ON instances.instances TO instances_service
    USING (tenant_id = instances.current_tenant());
CREATE POLICY own_tenant ON instances.idempotency_keys TO instances_service
    USING (tenant_id = instances.current_tenant());
-- The query sees only instances of the tenant, by the policy above.
CREATE POLICY own_tenant ON instances.jobs FOR INSERT TO instances_service
    WITH CHECK (EXISTS (SELECT FROM instances.instances i WHERE i.instance_id = jobs.instance_id));

-- The worker serves all tenants.
CREATE POLICY every_tenant ON instances.instances TO worker_service USING (true);
CREATE POLICY every_tenant ON instances.jobs TO worker_service USING (true);
