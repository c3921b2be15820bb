-- Facts to report, written in the transaction of what they report, and their deliveries.
CREATE TABLE events (
    id          text PRIMARY KEY,
    merchant_id bigint NOT NULL REFERENCES merchants,
    type        text NOT NULL,
    -- What it is about, e.g. charge:17, and its number among the events about that.
    object      text NOT NULL,
    sequence    bigint NOT NULL,
    payload     jsonb NOT NULL,
    created_at  timestamptz NOT NULL,
    CONSTRAINT events_in_order UNIQUE (object, sequence)
);
CREATE INDEX events_of_merchant ON events (merchant_id, created_at);

-- Endpoints a merchant manages.
CREATE TABLE webhook_endpoints (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    merchant_id     bigint NOT NULL REFERENCES merchants,
    url             text NOT NULL,
    format          text NOT NULL CHECK (format IN ('standard', 'orders', 'gateway', 'processing', 'ipn')),
    -- Empty = every event.
    events          text[] NOT NULL DEFAULT '{}',
    secret          text NOT NULL,
    -- Still valid during a rotation.
    previous_secret text,
    previous_until  timestamptz,
    status          text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'disabled', 'deleted')),
    failing_since   timestamptz,
    created_at      timestamptz NOT NULL
);
CREATE INDEX webhook_endpoints_of_merchant ON webhook_endpoints (merchant_id) WHERE status = 'active';

CREATE TABLE deliveries (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    event_id        text NOT NULL REFERENCES events,
    merchant_id     bigint NOT NULL REFERENCES merchants,
    -- NULL: a URL that came with a request.
    endpoint_id     bigint REFERENCES webhook_endpoints,
    object          text NOT NULL,
    url             text NOT NULL,
    format          text NOT NULL,
    schedule        text NOT NULL CHECK (schedule IN ('standard', 'ipn', 'processing')),
    content_type    text NOT NULL,
    -- The dialect's own headers, rendered with the body.
    headers         jsonb NOT NULL DEFAULT '[]',
    -- Serialised once, sent byte-identical at every attempt.
    body            bytea NOT NULL,
    state           text NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'delivered', 'failed')),
    attempts        int NOT NULL DEFAULT 0,
    -- Instance clock.
    next_attempt_at timestamptz,
    -- Lease of the worker that has it, database clock: an efficiency, not a guarantee.
    locked_until    timestamptz,
    created_at      timestamptz NOT NULL,
    delivered_at    timestamptz,
    CONSTRAINT deliveries_once UNIQUE (event_id, endpoint_id, url),
    CHECK ((state = 'pending') = (next_attempt_at IS NOT NULL))
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02);
CREATE INDEX deliveries_due ON deliveries (next_attempt_at, id) WHERE state = 'pending';
CREATE INDEX deliveries_order ON deliveries (object, url, id) WHERE state = 'pending';
CREATE INDEX deliveries_in_flight ON deliveries (url, merchant_id)
    WHERE state = 'pending' AND locked_until IS NOT NULL;
CREATE INDEX deliveries_age ON deliveries (created_at) WHERE state <> 'pending';
CREATE INDEX deliveries_of_event ON deliveries (event_id);

CREATE TABLE delivery_attempts (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    delivery_id   bigint NOT NULL REFERENCES deliveries,
    number        int NOT NULL,
    at            timestamptz NOT NULL,
    status        int,
    duration_ms   bigint NOT NULL,
    error         text,
    -- First 4 KiB.
    response_head text NOT NULL DEFAULT ''
);
CREATE INDEX delivery_attempts_of_delivery ON delivery_attempts (delivery_id, id);

-- Outgoing mail; in test mode the mailbox page is where it ends.
CREATE TABLE mails (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at         timestamptz NOT NULL,
    merchant_id bigint REFERENCES merchants,
    recipient  text NOT NULL,
    subject    text NOT NULL,
    text       text NOT NULL,
    html       text NOT NULL DEFAULT '',
    sent_at    timestamptz
);
