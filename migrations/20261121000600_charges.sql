-- The one request for payment under every dialect (00-domain.md, Charges).
CREATE TABLE charges (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    -- EX-XXXXXXXXXX
    public_id       text NOT NULL CONSTRAINT charges_public_id_key UNIQUE CHECK (public_id ~ '^EX-[A-Z2-7]{10}$'),
    merchant_id     bigint NOT NULL REFERENCES merchants,
    -- What made it: order, payment, invoice, …
    origin          text NOT NULL,
    status          text NOT NULL CHECK (status IN ('created', 'pending', 'processing', 'paid', 'expired',
                        'underpaid', 'cancelled', 'failed')),
    flags           text[] NOT NULL DEFAULT '{}',
    resolution      text NOT NULL DEFAULT 'none'
                    CHECK (resolution IN ('none', 'accepted', 'requoted', 'refunded', 'credited')),
    resolved_by     text,
    resolved_at     timestamptz,
    needs_attention boolean NOT NULL DEFAULT false,
    currency_id     smallint NOT NULL REFERENCES currencies,
    amount          numeric(38, 0) NOT NULL CHECK (amount > 0 AND amount < 1e28),
    -- Policy at creation: later changes of settings do not move a running charge (except what
    -- happens with late money, which is decided when it comes).
    tolerance       numeric(38, 0) NOT NULL CHECK (tolerance >= 0 AND tolerance < amount),
    rate_minutes    int NOT NULL CHECK (rate_minutes BETWEEN 5 AND 60),
    fee_basis_points int NOT NULL CHECK (fee_basis_points BETWEEN 0 AND 10000),
    -- Whose wallet is credited; 0 = the merchant's primary one.
    wallet_user_id  bigint NOT NULL DEFAULT 0,
    customer        jsonb NOT NULL DEFAULT '{}',
    items           jsonb NOT NULL DEFAULT '[]',
    metadata        jsonb NOT NULL DEFAULT '{}',
    redirect_url    text,
    webhook_url     text,
    refund_address  text,
    expires_at      timestamptz NOT NULL,
    -- When the lifecycle wants to be woken next.
    clock_ends_at   timestamptz,
    covered_at      timestamptz,
    coin_id         smallint REFERENCES currencies,
    quote_id        uuid REFERENCES quotes,
    -- Coins due in all under the current quote.
    coin_due        numeric(38, 0),
    coin_consumed   numeric(38, 0),
    credited        numeric(38, 0),
    fee             numeric(38, 0),
    paid_at         timestamptz,
    version         bigint NOT NULL DEFAULT 0,
    created_at      timestamptz NOT NULL,
    updated_at      timestamptz NOT NULL,
    CHECK ((status = 'paid') = (paid_at IS NOT NULL)),
    CHECK ((quote_id IS NULL) = (coin_id IS NULL) AND (quote_id IS NULL) = (coin_due IS NULL))
);
CREATE INDEX charges_of_merchant ON charges (merchant_id, id DESC);
CREATE INDEX charges_by_status ON charges (merchant_id, status, id DESC);
CREATE INDEX charges_inbox ON charges (merchant_id, id DESC) WHERE needs_attention;
CREATE INDEX charges_due ON charges (clock_ends_at) WHERE clock_ends_at IS NOT NULL;
CREATE INDEX charges_paid ON charges (merchant_id, currency_id, paid_at) WHERE paid_at IS NOT NULL;

-- Every coin a payer picked, with its address for ever and its last quote.
CREATE TABLE charge_methods (
    charge_id  bigint NOT NULL REFERENCES charges,
    coin_id    smallint NOT NULL REFERENCES currencies,
    address_id bigint NOT NULL REFERENCES chain_addresses CONSTRAINT charge_methods_address_key UNIQUE,
    quote_id   uuid NOT NULL REFERENCES quotes,
    coin_due   numeric(38, 0) NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (charge_id, coin_id)
);

-- Payments received for a charge; one row per chain output.
CREATE TABLE receipts (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    charge_id     bigint NOT NULL REFERENCES charges,
    coin_id       smallint NOT NULL REFERENCES currencies,
    txid          text NOT NULL,
    vout          int NOT NULL,
    address_id    bigint NOT NULL REFERENCES chain_addresses,
    amount        numeric(38, 0) NOT NULL CHECK (amount > 0 AND amount < 1e28),
    state         text NOT NULL CHECK (state IN ('seen', 'final', 'dropped', 'reversed')),
    -- Depth at which it is final, decided when first seen.
    confirmations_required int NOT NULL CHECK (confirmations_required >= 0),
    -- Worth in the charge's currency at the price it came under, rounded down.
    value         numeric(38, 0),
    -- How often it was booked and booked back; makes each booking a fact of its own.
    bookings      int NOT NULL DEFAULT 0,
    first_seen_at timestamptz NOT NULL,
    final_at      timestamptz,
    CONSTRAINT receipts_outpoint_key UNIQUE (coin_id, txid, vout)
);
CREATE INDEX receipts_of_charge ON receipts (charge_id, id);
CREATE INDEX receipts_unsettled ON receipts (coin_id, txid) WHERE state <> 'final';

-- One timeline per charge.
CREATE TABLE charge_timeline (
    id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    charge_id bigint NOT NULL REFERENCES charges,
    at        timestamptz NOT NULL,
    kind      text NOT NULL,
    data      jsonb NOT NULL DEFAULT '{}'
);
CREATE INDEX charge_timeline_of_charge ON charge_timeline (charge_id, id);
CREATE TRIGGER charge_timeline_immutable BEFORE UPDATE OR DELETE OR TRUNCATE ON charge_timeline
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- A payer's (or merchant's) open request for money back. A withdrawal from suspense fulfils it.
CREATE TABLE refund_claims (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    charge_id    bigint NOT NULL REFERENCES charges,
    coin_id      smallint REFERENCES currencies,
    amount       numeric(38, 0),
    address      text,
    requested_by text NOT NULL,
    state        text NOT NULL CHECK (state IN ('requested', 'approved', 'sent', 'confirmed', 'declined')),
    created_at   timestamptz NOT NULL
);
CREATE INDEX refund_claims_of_charge ON refund_claims (charge_id);
CREATE UNIQUE INDEX refund_claims_open ON refund_claims (charge_id) WHERE state IN ('requested', 'approved', 'sent');
