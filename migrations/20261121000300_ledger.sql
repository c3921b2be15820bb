-- The ledger. One row of `postings` is the double entry: one debit, one credit, one currency, one
-- positive amount, so an entry cannot be unbalanced. Balances live in the account row and are proven
-- by the postings: gapless versions, balance after every line. No foreign keys here: accounts are
-- never deleted, existence is checked under lock, and a foreign key takes hidden locks.

CREATE TABLE accounts (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    -- 0 = house.
    merchant_id  bigint NOT NULL,
    currency_id  smallint NOT NULL,
    kind         text NOT NULL CHECK (kind IN ('wallet', 'chain_holdings', 'bank_holdings', 'fees',
                     'network_fees', 'liquidity', 'rounding', 'suspense', 'receivable', 'test_funding')),
    -- The merchant's own customer number; 0 = the merchant's primary wallet.
    user_id      bigint NOT NULL DEFAULT 0 CHECK (user_id BETWEEN 0 AND 9007199254740991),
    wallet_type  text CHECK (wallet_type IN ('PREPAID', 'POSTPAID')),
    credit_limit numeric(38, 0) NOT NULL DEFAULT 0 CHECK (credit_limit >= 0),
    name         text NOT NULL DEFAULT '',
    -- Σ credits − Σ debits, ledger units.
    posted       numeric(38, 0) NOT NULL DEFAULT 0,
    held         numeric(38, 0) NOT NULL DEFAULT 0 CHECK (held >= 0),
    -- 0 PREPAID, −credit_limit POSTPAID, NULL = unbounded house account.
    floor        numeric(38, 0),
    -- Number of lines, gapless.
    version      bigint NOT NULL DEFAULT 0,
    created_at   timestamptz NOT NULL,
    CONSTRAINT accounts_no_overdraft CHECK (posted - held >= floor),
    CONSTRAINT accounts_in_range CHECK (abs(posted) < 1e28 AND held < 1e28),
    CONSTRAINT accounts_wallet_shape CHECK ((kind = 'wallet') = (wallet_type IS NOT NULL AND floor IS NOT NULL)),
    CONSTRAINT accounts_key UNIQUE (merchant_id, currency_id, kind, user_id)
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.05);

CREATE TABLE journal_entries (
    id          uuid PRIMARY KEY,
    merchant_id bigint NOT NULL,
    kind        text NOT NULL,
    -- What it belongs to, e.g. charge:17.
    subject     text NOT NULL,
    -- One entry of a kind per fact, ever.
    dedupe      text NOT NULL,
    created_at  timestamptz NOT NULL,
    CONSTRAINT journal_entries_once UNIQUE (kind, dedupe)
);
CREATE INDEX journal_entries_subject ON journal_entries (subject);

CREATE TABLE postings (
    id               uuid PRIMARY KEY,
    entry_id         uuid NOT NULL,
    leg              smallint NOT NULL,
    label            text NOT NULL,
    movement         text NOT NULL CHECK (movement IN ('post', 'hold', 'settle', 'void')),
    currency_id      smallint NOT NULL,
    amount           numeric(38, 0) NOT NULL CHECK (amount > 0 AND amount < 1e28),
    debit_account    bigint NOT NULL,
    debit_version    bigint NOT NULL,
    debit_after      numeric(38, 0) NOT NULL,
    debit_held_after numeric(38, 0) NOT NULL,
    credit_account   bigint NOT NULL,
    -- NULL for holds and voids: they leave the credit side alone.
    credit_version   bigint,
    credit_after     numeric(38, 0),
    -- The hold this leg ends.
    hold_id          uuid,
    created_at       timestamptz NOT NULL,
    CHECK (debit_account <> credit_account),
    CHECK ((movement IN ('post', 'settle')) = (credit_version IS NOT NULL AND credit_after IS NOT NULL)),
    CHECK ((movement IN ('settle', 'void')) = (hold_id IS NOT NULL)),
    CONSTRAINT postings_leg UNIQUE (entry_id, leg),
    CONSTRAINT postings_debit_line UNIQUE (debit_account, debit_version),
    CONSTRAINT postings_credit_line UNIQUE (credit_account, credit_version)
);
-- A hold resolves at most once.
CREATE UNIQUE INDEX postings_one_resolution ON postings (hold_id) WHERE hold_id IS NOT NULL;

-- Exactly one row per (account, version).
CREATE VIEW lines AS
    SELECT debit_account AS account_id, debit_version AS version, id AS posting_id, entry_id, movement, label,
           CASE WHEN movement IN ('post', 'settle') THEN -amount ELSE 0 END AS amount,
           CASE movement WHEN 'hold' THEN amount ELSE 0 END AS reserved,
           debit_after AS balance_after, debit_held_after AS held_after, currency_id, created_at
    FROM postings
    UNION ALL
    SELECT credit_account, credit_version, id, entry_id, movement, label, amount, 0,
           credit_after, NULL, currency_id, created_at
    FROM postings WHERE credit_version IS NOT NULL;

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% rows are never changed or deleted', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER postings_immutable BEFORE UPDATE OR DELETE OR TRUNCATE ON postings
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER journal_entries_immutable BEFORE UPDATE OR DELETE OR TRUNCATE ON journal_entries
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER accounts_stay BEFORE DELETE OR TRUNCATE ON accounts
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER audit_log_immutable BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_log
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- First answers to keyed requests (contract 80, Idempotency). Written in the transaction of the effect.
CREATE TABLE idempotency_keys (
    merchant_id bigint NOT NULL,
    method      text NOT NULL,
    path        text NOT NULL,
    key         text NOT NULL CHECK (length(key) BETWEEN 1 AND 255),
    body_hash   bytea NOT NULL,
    status      smallint NOT NULL,
    body        bytea NOT NULL,
    created_at  timestamptz NOT NULL,
    PRIMARY KEY (merchant_id, method, path, key)
);
CREATE INDEX idempotency_keys_age ON idempotency_keys (created_at);
