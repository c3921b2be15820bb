-- Invoices (contract 30): a charge with a page of its own. Ids come out of the operations' sequence,
-- because a merchant's transaction list names both by number.
ALTER TABLE charges
    -- The clock runs from creation, whoever picks a coin when (type 2).
    ADD COLUMN timer boolean NOT NULL DEFAULT false,
    -- Only `good_until_expired` reports each instalment.
    ADD COLUMN collection text NOT NULL DEFAULT 'fill_or_kill' CHECK (collection IN ('fill_or_kill', 'good_until_expired')),
    ADD COLUMN failed_url text;

CREATE TABLE invoices (
    id                 bigint PRIMARY KEY DEFAULT nextval('operations_id_seq'),
    charge_id          bigint NOT NULL REFERENCES charges CONSTRAINT invoices_charge_key UNIQUE,
    merchant_id        bigint NOT NULL REFERENCES merchants,
    code               text NOT NULL CONSTRAINT invoices_code_key UNIQUE CHECK (code ~ '^[A-Za-z0-9]{6,10}$'),
    -- As text, and in the JSON type it came in.
    foreign_id         text NOT NULL,
    foreign_json       jsonb NOT NULL,
    request_hash       bytea NOT NULL,
    title              text NOT NULL,
    description        text NOT NULL DEFAULT '',
    -- 1: the customer picks, then the clock starts; 2: the clock runs; 3: coin and clock are fixed.
    type               smallint NOT NULL CHECK (type BETWEEN 1 AND 3),
    sender_currency_id smallint REFERENCES currencies,
    email              text,
    -- What the builder adds: number, lines, tax, shipping, due date, note. NULL for the API's.
    details            jsonb,
    created_by         text NOT NULL,
    created_at         timestamptz NOT NULL,
    CONSTRAINT invoices_reference UNIQUE (merchant_id, foreign_id)
);
CREATE INDEX invoices_of_merchant ON invoices (merchant_id, id DESC);

-- A claim's page opens with a mailed token, once; afterwards it only shows where the claim stands.
ALTER TABLE refund_claims
    ADD COLUMN token_hash bytea CONSTRAINT refund_claims_token_key UNIQUE,
    ADD COLUMN token_expires_at timestamptz,
    ADD COLUMN token_used_at timestamptz,
    ADD COLUMN operation_id bigint REFERENCES operations,
    ADD COLUMN decided_by text;
