-- Coins that the operator sends to an account of ours (decision 047): nobody's deposit, and the house's own. Until a
-- person says so they are in no book, and the comparison of books and chains cannot account for them.

DO $$
DECLARE
    old text;
BEGIN
    FOR old IN
        SELECT conname FROM pg_constraint
        WHERE conrelid = 'accounts'::regclass AND contype = 'c'
          AND pg_get_constraintdef(oid) LIKE '%test_funding%'
    LOOP
        EXECUTE format('ALTER TABLE accounts DROP CONSTRAINT %I', old);
    END LOOP;
END $$;
-- own_funds: what the house put in of its own.
ALTER TABLE accounts ADD CONSTRAINT accounts_kind_check
    CHECK (kind IN ('wallet', 'chain_holdings', 'bank_holdings', 'fees', 'network_fees', 'liquidity', 'rounding',
                    'suspense', 'receivable', 'own_funds', 'test_funding'));

-- One row for each output that a person said is ours. What is booked is `amount` where the state says so.
CREATE TABLE own_funds (
    chain     text NOT NULL,
    txid      text NOT NULL,
    vout      int NOT NULL,
    coin_id   smallint NOT NULL REFERENCES currencies,
    -- Ledger units, as the chain says.
    amount    numeric(38, 0) NOT NULL CHECK (amount > 0),
    -- taken_back: it was booked, and its transaction is in no block any more.
    state     text NOT NULL CHECK (state IN ('booked', 'taken_back')),
    -- How often it was booked; makes each booking a fact of its own.
    bookings  int NOT NULL CHECK (bookings >= 1),
    booked_at timestamptz NOT NULL,
    PRIMARY KEY (chain, txid, vout),
    FOREIGN KEY (chain, txid, vout) REFERENCES chain_outputs
);
CREATE INDEX own_funds_coin ON own_funds (coin_id);
-- The operator's list of what came to accounts of ours.
CREATE INDEX chain_addresses_ours ON chain_addresses (id) WHERE branch = 1;
