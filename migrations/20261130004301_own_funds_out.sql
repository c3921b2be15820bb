-- Coins that the operator takes out of accounts of ours past this instance (decision 050), with a wallet that has the
-- same key. Until a person says so the books still have them, and the comparison of books and chains never ends.

-- One row for each transaction that a person said is ours. What is booked is `amount` and `gas` where the state
-- says so.
CREATE TABLE own_funds_out (
    -- The coin that it was booked as; a transaction has one at a time.
    chain      text NOT NULL,
    txid       text NOT NULL,
    coin_id    smallint NOT NULL REFERENCES currencies,
    -- Ledger units that left our accounts, less what came back to them, as the chain says. Where coins are outputs
    -- the miner's part is among them. 0 for a transaction of an account that moved nothing.
    amount     numeric(38, 0) NOT NULL CHECK (amount >= 0),
    -- On chains of accounts: ledger units of ether paid for gas.
    gas        numeric(38, 0) CHECK (gas >= 0),
    -- The account it is from, in EIP-55; base units that left it, to accounts of ours among them; wei for gas; and the
    -- block all this was read in: such a transaction is not in chain_txs unless it pays us.
    address    text,
    raw_sent   numeric(78, 0) CHECK (raw_sent >= 0),
    raw_cost   numeric(78, 0) CHECK (raw_cost >= 0),
    block_hash text,
    -- taken_back: it was booked, and is not where it was any more.
    state      text NOT NULL CHECK (state IN ('booked', 'taken_back')),
    -- How often it was booked; makes each booking a fact of its own.
    bookings   int NOT NULL CHECK (bookings >= 1),
    booked_at  timestamptz NOT NULL,
    PRIMARY KEY (chain, txid),
    CHECK (num_nonnulls(gas, address, raw_sent, raw_cost, block_hash) IN (0, 5))
);
