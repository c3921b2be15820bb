-- A token may keep a part of what is sent: something moved, and not what was planned. Neither paid nor failed, so
-- a person decides (decision 043). And what was paid may leave the chain again after it was settled.

ALTER TABLE treasury_payments DROP CONSTRAINT treasury_payments_outcome_check;
DO $$
DECLARE
    old text;
BEGIN
    FOR old IN
        SELECT conname FROM pg_constraint
        WHERE conrelid = 'treasury_payments'::regclass AND contype = 'c'
          AND pg_get_constraintdef(oid) LIKE '%confirmed_tx_id%'
    LOOP
        EXECUTE format('ALTER TABLE treasury_payments DROP CONSTRAINT %I', old);
    END LOOP;
END $$;
-- unclear: its transaction is in the chain and moved something else than planned.
ALTER TABLE treasury_payments
    ADD CONSTRAINT treasury_payments_outcome_check
        CHECK (outcome IN ('paid', 'failed', 'unclear', 'taken', 'released')),
    ADD CONSTRAINT treasury_payments_confirmed_check
        CHECK ((confirmed_tx_id IS NOT NULL)
               = (outcome IS NOT NULL AND outcome IN ('paid', 'failed', 'unclear')));

-- It was paid, its withdrawal is settled, and its transaction is in no block any more.
ALTER TABLE treasury_payments ADD COLUMN lost boolean NOT NULL DEFAULT false;
ALTER TABLE treasury_payments ADD CONSTRAINT treasury_payments_lost_check
    CHECK (NOT lost OR (outcome IS NOT NULL AND outcome = 'paid'));
CREATE INDEX treasury_payments_lost ON treasury_payments (chain) WHERE lost;
-- Looked at after every block, like those that failed: they are few.
CREATE INDEX treasury_payments_unclear ON treasury_payments (chain) WHERE outcome = 'unclear';
-- The operator's list.
CREATE INDEX treasury_payments_by_chain ON treasury_payments (chain, id);

-- Base units that left the account and that the receiver got, as the token says; of what is unclear alone.
ALTER TABLE treasury_txs
    ADD COLUMN moved numeric(78, 0) CHECK (moved >= 0),
    ADD COLUMN arrived numeric(78, 0) CHECK (arrived >= 0),
    ADD CONSTRAINT treasury_txs_both_check CHECK ((moved IS NULL) = (arrived IS NULL)),
    ADD CONSTRAINT treasury_txs_unclear_check CHECK (moved IS NULL OR NOT coalesce(succeeded, false));
