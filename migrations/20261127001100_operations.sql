-- Movements a merchant asks for or receives outside of charges: deposits to reusable addresses,
-- withdrawals, exchanges, futures (contract 30). One header row each, so that every dialect and page
-- lists them alike; what only one kind has stands in its own table.

CREATE TABLE operations (
    id                   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    merchant_id          bigint NOT NULL REFERENCES merchants,
    -- `refund` sends money out of suspense back to a payer; the others are the Processing API's types.
    kind                 text NOT NULL CHECK (kind IN ('deposit', 'deposit_exchange', 'withdrawal',
                             'withdrawal_exchange', 'exchange', 'refund')),
    status               text NOT NULL CHECK (status IN ('not_confirmed', 'processing', 'pending',
                             'confirmed', 'cancelled')),
    -- The merchant's own reference; a deposit's stands on its address.
    foreign_id           text,
    -- SHA-256 of what was asked for: the same reference with the same wish gets the first answer.
    request_hash         bytea,
    sent_currency_id     smallint NOT NULL REFERENCES currencies,
    sent_amount          numeric(38, 0) NOT NULL CHECK (sent_amount > 0 AND sent_amount < 1e28),
    -- NULL until it is known what was received.
    received_currency_id smallint NOT NULL REFERENCES currencies,
    received_amount      numeric(38, 0) CHECK (received_amount >= 0 AND received_amount < 1e28),
    received_net         numeric(38, 0) CHECK (received_net >= 0 AND received_net <= received_amount),
    -- What was asked for, in the currency asked for: without fees.
    requested_amount     numeric(38, 0) NOT NULL CHECK (requested_amount > 0 AND requested_amount < 1e28),
    -- Units of the received currency for one of the sent currency.
    price                numeric(28, 18) CHECK (price > 0),
    quote_id             uuid REFERENCES quotes,
    futures_id           bigint,
    error                text,
    -- A person has to look: reversed, stuck, suspended.
    needs_attention      boolean NOT NULL DEFAULT false,
    version              bigint NOT NULL DEFAULT 0,
    created_at           timestamptz NOT NULL,
    updated_at           timestamptz NOT NULL,
    finished_at          timestamptz,
    CHECK ((status IN ('confirmed', 'cancelled')) = (finished_at IS NOT NULL))
);
CREATE INDEX operations_of_merchant ON operations (merchant_id, id DESC);
CREATE INDEX operations_by_status ON operations (merchant_id, status, id DESC);
CREATE INDEX operations_attention ON operations (id DESC) WHERE needs_attention;
-- One reference names one withdrawal and one exchange (contract 00, Identifiers).
CREATE UNIQUE INDEX operations_reference ON operations
    (merchant_id, (CASE WHEN kind = 'withdrawal_exchange' THEN 'withdrawal' ELSE kind END), foreign_id)
    WHERE foreign_id IS NOT NULL;

CREATE TABLE operation_fees (
    operation_id bigint NOT NULL REFERENCES operations,
    kind         text NOT NULL CHECK (kind IN ('deposit', 'exchange', 'mining', 'withdrawal', 'transfer')),
    currency_id  smallint NOT NULL REFERENCES currencies,
    amount       numeric(38, 0) NOT NULL CHECK (amount > 0 AND amount < 1e28),
    PRIMARY KEY (operation_id, kind)
);

-- Belongs to (merchant, coin, reference, target) and is reusable for ever.
CREATE TABLE deposit_addresses (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    merchant_id   bigint NOT NULL REFERENCES merchants,
    coin_id       smallint NOT NULL REFERENCES currencies,
    foreign_id    text NOT NULL,
    convert_to_id smallint REFERENCES currencies,
    label         text NOT NULL DEFAULT '',
    address_id    bigint NOT NULL REFERENCES chain_addresses CONSTRAINT deposit_addresses_address_key UNIQUE,
    created_at    timestamptz NOT NULL,
    CHECK (coin_id <> convert_to_id)
);
CREATE UNIQUE INDEX deposit_addresses_key ON deposit_addresses
    (merchant_id, coin_id, foreign_id, coalesce(convert_to_id, 0));
CREATE INDEX deposit_addresses_of_merchant ON deposit_addresses (merchant_id, id DESC);

-- One row per chain output to a deposit address, or per internal transfer to one.
CREATE TABLE deposits (
    operation_id       bigint PRIMARY KEY REFERENCES operations,
    deposit_address_id bigint NOT NULL REFERENCES deposit_addresses,
    -- The coin of the chain it came on, whatever the address was taken for.
    coin_id            smallint NOT NULL REFERENCES currencies,
    txid               text NOT NULL,
    vout               int NOT NULL,
    amount             numeric(38, 0) NOT NULL CHECK (amount > 0 AND amount < 1e28),
    state              text NOT NULL CHECK (state IN ('seen', 'final', 'dropped', 'reversed')),
    confirmations_required int NOT NULL CHECK (confirmations_required >= 0),
    -- How often it was booked and booked back; makes each booking a fact of its own.
    bookings           int NOT NULL DEFAULT 0,
    -- open: not final yet; credited: in a wallet; suspended: in suspense until a person decides.
    disposition        text NOT NULL DEFAULT 'open' CHECK (disposition IN ('open', 'credited', 'suspended', 'refunded')),
    -- The withdrawal it is the other side of.
    internal_from      bigint REFERENCES operations,
    first_seen_at      timestamptz NOT NULL,
    final_at           timestamptz,
    CONSTRAINT deposits_outpoint_key UNIQUE (coin_id, txid, vout)
);
CREATE INDEX deposits_unsettled ON deposits (coin_id, txid) WHERE state <> 'final';
CREATE INDEX deposits_of_address ON deposits (deposit_address_id, operation_id DESC);
CREATE INDEX deposits_suspended ON deposits (operation_id) WHERE disposition = 'suspended';

-- Money on its way out: held first, then broadcast, then settled or released.
CREATE TABLE withdrawals (
    operation_id      bigint PRIMARY KEY REFERENCES operations,
    coin_id           smallint NOT NULL REFERENCES currencies,
    -- Canonical form.
    address           text NOT NULL,
    tag               text,
    -- What the receiver gets, ledger units of the coin, a whole number of payable units.
    amount            numeric(38, 0) NOT NULL CHECK (amount > 0 AND amount < 1e28),
    -- pending: a person decides; queued: nobody has made a transaction; built: its bytes are stored;
    -- broadcast: the network has it; settled and void are final.
    state             text NOT NULL CHECK (state IN ('pending', 'queued', 'built', 'broadcast', 'settled', 'void')),
    -- Posting that holds the payer's money, and the one that holds the coins of an exchange.
    hold_id           uuid NOT NULL,
    held              numeric(38, 0) NOT NULL CHECK (held > 0 AND held < 1e28),
    liquidity_hold_id uuid,
    liquidity_held    numeric(38, 0),
    requested_by      text NOT NULL,
    requested_user_id bigint REFERENCES users,
    decided_by        text,
    decided_at        timestamptz,
    -- The refund claim it fulfils.
    claim_id          bigint REFERENCES refund_claims,
    -- Ours: settled at once, without a chain.
    internal          boolean NOT NULL DEFAULT false,
    txid              text,
    raw               bytea,
    confirmations_required int NOT NULL DEFAULT 1 CHECK (confirmations_required >= 0),
    attempts          int NOT NULL DEFAULT 0,
    next_attempt_at   timestamptz,
    locked_until      timestamptz,
    last_error        text,
    CHECK ((state IN ('built', 'broadcast')) <= (txid IS NOT NULL AND raw IS NOT NULL)),
    CHECK ((liquidity_hold_id IS NULL) = (liquidity_held IS NULL))
);
CREATE UNIQUE INDEX withdrawals_txid ON withdrawals (coin_id, txid) WHERE txid IS NOT NULL;
CREATE INDEX withdrawals_due ON withdrawals (next_attempt_at) WHERE state IN ('queued', 'built');
CREATE INDEX withdrawals_on_chain ON withdrawals (coin_id, txid) WHERE state IN ('built', 'broadcast');
CREATE INDEX withdrawals_pending ON withdrawals (operation_id) WHERE state = 'pending';

-- What priced an exchange; more columns for what the charge quotes never had.
ALTER TABLE quotes
    ADD COLUMN purpose text NOT NULL DEFAULT 'charge' CHECK (purpose IN ('charge', 'exchange', 'withdrawal', 'deposit', 'futures')),
    ADD COLUMN fee_currency_id smallint REFERENCES currencies,
    ADD COLUMN fee_amount numeric(38, 0) CHECK (fee_amount >= 0 AND fee_amount < 1e28);
CREATE INDEX quotes_of_merchant ON quotes (merchant_id, coin_id, currency_id, release_at) WHERE purpose = 'exchange';

-- A quote given to a merchant is used at most once.
CREATE TABLE quote_uses (
    quote_id     uuid PRIMARY KEY REFERENCES quotes,
    operation_id bigint NOT NULL REFERENCES operations
);
CREATE TRIGGER quote_uses_immutable BEFORE UPDATE OR DELETE OR TRUNCATE ON quote_uses
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- A promise: a deposit of exactly `sender_amount` first seen in the window settles at exactly
-- `receiver_amount`. Funded by a hold on the house's liquidity account.
CREATE TABLE futures (
    id                   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    merchant_id          bigint NOT NULL REFERENCES merchants,
    deposit_address_id   bigint NOT NULL REFERENCES deposit_addresses,
    sender_currency_id   smallint NOT NULL REFERENCES currencies,
    sender_amount        numeric(38, 0) NOT NULL CHECK (sender_amount > 0 AND sender_amount < 1e28),
    receiver_currency_id smallint NOT NULL REFERENCES currencies,
    receiver_amount      numeric(38, 0) NOT NULL CHECK (receiver_amount > 0 AND receiver_amount < 1e28),
    fee_amount           numeric(38, 0) NOT NULL CHECK (fee_amount >= 0 AND fee_amount <= receiver_amount),
    price                numeric(28, 18) NOT NULL CHECK (price > 0),
    quote_id             uuid NOT NULL REFERENCES quotes,
    hold_id              uuid NOT NULL,
    -- matched: a deposit is bound to it and waits for its confirmations.
    state                text NOT NULL CHECK (state IN ('open', 'matched', 'settled', 'void')),
    void_reason          text,
    operation_id         bigint REFERENCES operations,
    fixed_at             timestamptz NOT NULL,
    release_at           timestamptz NOT NULL CHECK (release_at > fixed_at),
    ended_at             timestamptz,
    CHECK ((state IN ('settled', 'void')) = (ended_at IS NOT NULL))
);
CREATE UNIQUE INDEX futures_running ON futures (deposit_address_id) WHERE state IN ('open', 'matched');
CREATE INDEX futures_due ON futures (release_at) WHERE state = 'open';
CREATE INDEX futures_of_merchant ON futures (merchant_id, id DESC);

-- Per merchant: the Processing callback, who may frame the terminal, how much may leave in a day.
ALTER TABLE merchants
    ADD COLUMN callback_url text,
    ADD COLUMN frame_origins text[] NOT NULL DEFAULT '{}',
    ADD COLUMN withdrawal_daily_limit numeric CHECK (withdrawal_daily_limit >= 0);

ALTER TABLE key_pairs
    ADD COLUMN last_used_at timestamptz,
    ADD COLUMN created_by text;
