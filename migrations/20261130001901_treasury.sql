-- Withdrawals on chains of accounts: one account pays, and its transactions are numbered (nonces). Two with
-- one number exclude each other; one after a gap waits until the gap is filled.

-- An account that pays, on one network, whatever coins of the network it pays with.
CREATE TABLE treasuries (
    -- EIP-155.
    chain_id    bigint NOT NULL CHECK (chain_id > 0),
    -- EIP-55.
    address     text NOT NULL,
    -- The first number given out here, and the next one.
    first_nonce bigint NOT NULL CHECK (first_nonce >= 0),
    next_nonce  bigint NOT NULL CHECK (next_nonce >= first_nonce),
    -- Nothing new is paid: somebody else uses the key.
    paused_at   timestamptz,
    paused_why  text,
    created_at  timestamptz NOT NULL,
    PRIMARY KEY (chain_id, address),
    CHECK ((paused_at IS NULL) = (paused_why IS NULL))
);

-- What each number is used for, decided once.
CREATE TABLE treasury_payments (
    id                     bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
    chain_id               bigint NOT NULL,
    address                text NOT NULL,
    nonce                  bigint NOT NULL CHECK (nonce >= 0),
    -- NULL: a person resumed after somebody else had used this number.
    operation_id           bigint UNIQUE REFERENCES withdrawals,
    coin_id                smallint REFERENCES currencies,
    -- As in chain_txs: whose follower decides how deep it is.
    chain                  text,
    to_address             text,
    -- Base units of the coin.
    raw_amount             numeric(78, 0) CHECK (raw_amount > 0),
    confirmations_required int CHECK (confirmations_required >= 1),
    -- paid: the receiver has it; failed: its transaction is in the chain and moved nothing; taken: another
    -- transaction has the number. NULL: not known yet.
    outcome                text CHECK (outcome IN ('paid', 'failed', 'taken')),
    -- The transaction that is deep in the chain and whose cost is booked.
    confirmed_tx_id        bigint,
    -- How often a cost was booked for it; makes each booking a fact of its own.
    bookings               int NOT NULL DEFAULT 0,
    created_at             timestamptz NOT NULL,
    PRIMARY KEY (chain_id, address, nonce),
    FOREIGN KEY (chain_id, address) REFERENCES treasuries,
    CHECK ((operation_id IS NULL) = (coin_id IS NULL)),
    CHECK ((operation_id IS NULL) = (chain IS NULL)),
    CHECK ((operation_id IS NULL) = (to_address IS NULL)),
    CHECK ((operation_id IS NULL) = (raw_amount IS NULL)),
    CHECK ((operation_id IS NULL) = (confirmations_required IS NULL)),
    CHECK ((confirmed_tx_id IS NOT NULL) = (outcome IS NOT NULL AND outcome IN ('paid', 'failed')))
);
CREATE INDEX treasury_payments_running ON treasury_payments (chain, nonce) WHERE confirmed_tx_id IS NULL;

-- The transactions of a payment: all pay the same with the same number, each for a higher fee than the one
-- before. What was ever drafted is looked for on the chain for ever.
CREATE TABLE treasury_txs (
    id               bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    payment_id       bigint NOT NULL REFERENCES treasury_payments (id),
    -- As in payout_txs.
    state            text NOT NULL CHECK (state IN ('drafted', 'signed', 'broadcast', 'confirmed', 'replaced')),
    replaces         bigint REFERENCES treasury_txs,
    -- Everything that is signed.
    plan             jsonb NOT NULL,
    -- The signature is part of the id, so there is none before.
    txid             text CONSTRAINT treasury_txs_txid_key UNIQUE,
    raw              bytea,
    -- What its block says: where it is, whether it moved what it should, and wei paid for it. Kept when the
    -- block leaves the chain; chain_txs says whether it is in one.
    block_hash       text,
    height           bigint,
    succeeded        boolean,
    cost             numeric(78, 0) CHECK (cost >= 0),
    made_by          text NOT NULL,
    created_at       timestamptz NOT NULL,
    downloaded_by    text,
    downloaded_at    timestamptz,
    signed_by        text,
    signed_at        timestamptz,
    broadcast_at     timestamptz,
    broadcast_height bigint,
    attempts         int NOT NULL DEFAULT 0,
    next_attempt_at  timestamptz,
    locked_until     timestamptz,
    last_error       text,
    told             boolean NOT NULL DEFAULT false,
    CHECK ((raw IS NULL) = (txid IS NULL)),
    CHECK ((state IN ('signed', 'broadcast', 'confirmed')) <= (raw IS NOT NULL)),
    CHECK ((height IS NULL) = (cost IS NULL)),
    CHECK ((height IS NULL) = (succeeded IS NULL)),
    CHECK ((height IS NULL) = (block_hash IS NULL))
);
CREATE UNIQUE INDEX treasury_txs_one_draft ON treasury_txs (payment_id) WHERE state = 'drafted';
CREATE UNIQUE INDEX treasury_txs_one_sent ON treasury_txs (payment_id) WHERE state IN ('signed', 'broadcast');
CREATE INDEX treasury_txs_of_payment ON treasury_txs (payment_id, id);
CREATE INDEX treasury_txs_due ON treasury_txs (next_attempt_at) WHERE state IN ('drafted', 'signed');
CREATE INDEX treasury_txs_replaces ON treasury_txs (replaces) WHERE replaces IS NOT NULL;
ALTER TABLE treasury_payments ADD FOREIGN KEY (confirmed_tx_id) REFERENCES treasury_txs;

-- What a number was given to stays what it was, and so do bytes once there are any.
CREATE FUNCTION refuse_other_payment() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a payment stays what it was when it got its number' USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER treasury_payments_stay BEFORE UPDATE ON treasury_payments
    FOR EACH ROW WHEN ((OLD.chain_id, OLD.address, OLD.nonce, OLD.operation_id, OLD.coin_id, OLD.to_address, OLD.raw_amount)
        IS DISTINCT FROM (NEW.chain_id, NEW.address, NEW.nonce, NEW.operation_id, NEW.coin_id, NEW.to_address, NEW.raw_amount))
    EXECUTE FUNCTION refuse_other_payment();
CREATE TRIGGER treasury_txs_stay BEFORE UPDATE ON treasury_txs
    FOR EACH ROW WHEN (OLD.plan IS DISTINCT FROM NEW.plan OR (OLD.raw IS NOT NULL AND OLD.raw IS DISTINCT FROM NEW.raw))
    EXECUTE FUNCTION refuse_other_payment();
CREATE TRIGGER treasury_payments_kept BEFORE DELETE ON treasury_payments
    FOR EACH ROW EXECUTE FUNCTION refuse_other_payment();
