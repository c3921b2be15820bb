-- Withdrawals on chains whose coins are outputs: several share one transaction, and a transaction
-- that waits too long is replaced by one with a higher fee.

-- Change goes to addresses of ours, on a branch of its own that no payer ever sees. They are watched
-- like all others, so change is seen as ours again.
ALTER TABLE chain_accounts
    ADD COLUMN next_change bigint NOT NULL DEFAULT 0 CHECK (next_change BETWEEN 0 AND 2147483647);
ALTER TABLE chain_addresses
    -- 0: given to payers; 1: change.
    ADD COLUMN branch smallint NOT NULL DEFAULT 0 CHECK (branch IN (0, 1)),
    ALTER COLUMN merchant_id DROP NOT NULL,
    DROP CONSTRAINT chain_addresses_index_key,
    ADD CONSTRAINT chain_addresses_index_key UNIQUE (chain, branch, idx),
    ADD CONSTRAINT chain_addresses_owner CHECK ((branch = 0) = (merchant_id IS NOT NULL));

-- The largest coins are spent first.
CREATE INDEX chain_outputs_by_size ON chain_outputs (chain, raw DESC);

-- A batch of withdrawals, decided once and never changed: which ones ride in it stands in
-- withdrawals.payout_id. However often its transaction is replaced, one of them is mined.
CREATE TABLE payouts (
    id                     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    coin_id                smallint NOT NULL REFERENCES currencies,
    -- As in chain_txs.
    chain                  text NOT NULL,
    confirmations_required int NOT NULL CHECK (confirmations_required >= 1),
    -- The transaction that is deep in the chain and whose fee is booked.
    confirmed_tx_id        bigint,
    -- How often a fee was booked for it; makes each booking a fact of its own.
    bookings               int NOT NULL DEFAULT 0,
    created_at             timestamptz NOT NULL
);
CREATE INDEX payouts_running ON payouts (chain, id) WHERE confirmed_tx_id IS NULL;

-- The transactions that pay a payout. Every later one spends all coins of the one it replaces, so they
-- exclude each other on the chain.
CREATE TABLE payout_txs (
    id               bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    payout_id        bigint NOT NULL REFERENCES payouts,
    chain            text NOT NULL,
    -- drafted: nobody has signed it, as far as we know; signed: its bytes are stored; broadcast: the
    -- network has it; confirmed: deep enough; replaced: another one of the payout is sent instead, or
    -- is in the chain. What was ever drafted is looked for on the chain for ever.
    state            text NOT NULL CHECK (state IN ('drafted', 'signed', 'broadcast', 'confirmed', 'replaced')),
    replaces         bigint REFERENCES payout_txs,
    plan             jsonb NOT NULL,
    psbt             bytea NOT NULL,
    -- Signatures of these coins are not part of it, so it is known before there are any.
    txid             text NOT NULL,
    raw              bytea,
    -- Satoshi.
    fee              bigint NOT NULL CHECK (fee >= 0),
    -- Virtual bytes; NULL while nobody signed.
    vsize            bigint CHECK (vsize > 0),
    made_by          text NOT NULL,
    created_at       timestamptz NOT NULL,
    -- The last person who took the PSBT to sign it.
    downloaded_by    text,
    downloaded_at    timestamptz,
    signed_by        text,
    signed_at        timestamptz,
    broadcast_at     timestamptz,
    -- Our tip when the network first took it.
    broadcast_height bigint,
    attempts         int NOT NULL DEFAULT 0,
    next_attempt_at  timestamptz,
    locked_until     timestamptz,
    last_error       text,
    -- The operators know about last_error.
    told             boolean NOT NULL DEFAULT false,
    CONSTRAINT payout_txs_txid_key UNIQUE (chain, txid),
    CHECK ((state IN ('signed', 'broadcast')) <= (raw IS NOT NULL)),
    CHECK ((raw IS NULL) = (vsize IS NULL))
);
-- One after the other: of a payout one transaction waits for a signature, and one is sent.
CREATE UNIQUE INDEX payout_txs_one_draft ON payout_txs (payout_id) WHERE state = 'drafted';
CREATE UNIQUE INDEX payout_txs_one_sent ON payout_txs (payout_id) WHERE state IN ('signed', 'broadcast');
CREATE INDEX payout_txs_of_payout ON payout_txs (payout_id, id);
CREATE INDEX payout_txs_due ON payout_txs (next_attempt_at) WHERE state IN ('drafted', 'signed');
CREATE INDEX payout_txs_replaces ON payout_txs (replaces) WHERE replaces IS NOT NULL;
ALTER TABLE payouts ADD FOREIGN KEY (confirmed_tx_id) REFERENCES payout_txs;

-- Coins a payout may spend; nobody else plans with them.
CREATE TABLE payout_coins (
    chain     text NOT NULL,
    prev_txid text NOT NULL,
    prev_vout int NOT NULL,
    payout_id bigint NOT NULL REFERENCES payouts,
    CONSTRAINT payout_coins_once PRIMARY KEY (chain, prev_txid, prev_vout)
);
CREATE INDEX payout_coins_of_payout ON payout_coins (payout_id);

ALTER TABLE withdrawals
    -- Set once, before anything is signed.
    ADD COLUMN payout_id bigint REFERENCES payouts,
    DROP CONSTRAINT withdrawals_check,
    ADD CONSTRAINT withdrawals_have_bytes
        CHECK ((state IN ('built', 'broadcast'))
               <= (txid IS NOT NULL AND (raw IS NOT NULL OR payout_id IS NOT NULL)));
CREATE INDEX withdrawals_of_payout ON withdrawals (payout_id, operation_id) WHERE payout_id IS NOT NULL;
DROP INDEX withdrawals_txid;
CREATE UNIQUE INDEX withdrawals_txid ON withdrawals (coin_id, txid) WHERE txid IS NOT NULL AND payout_id IS NULL;
CREATE INDEX withdrawals_shared_txid ON withdrawals (coin_id, txid) WHERE txid IS NOT NULL;

-- A payout stays what it was.
CREATE FUNCTION refuse_other_payout() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a withdrawal never leaves its payout' USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER withdrawals_stay_in_payout BEFORE UPDATE OF payout_id ON withdrawals
    FOR EACH ROW WHEN (OLD.payout_id IS NOT NULL AND NEW.payout_id IS DISTINCT FROM OLD.payout_id)
    EXECUTE FUNCTION refuse_other_payout();
