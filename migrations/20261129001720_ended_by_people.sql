-- A withdrawal whose coins another transaction took, and whose end a person decided.
ALTER TABLE withdrawals
    -- Who; NULL where the chain decided.
    ADD COLUMN ended_by text,
    -- Its own transaction. It is never sent again, and if a block has it all the same, people are told.
    ADD COLUMN ended_txid text,
    ADD CHECK (ended_by IS NULL OR state IN ('settled', 'void'));
CREATE INDEX withdrawals_ended ON withdrawals (coin_id, ended_txid) WHERE ended_txid IS NOT NULL;
