-- Deposits are moved to the account that pays: numbers of the addresses they came to, and numbers of the account
-- that pays for the gas of tokens (decision 038).

ALTER TABLE treasury_payments ADD COLUMN purpose text NOT NULL DEFAULT 'withdrawal';
UPDATE treasury_payments SET purpose = 'gap' WHERE operation_id IS NULL;
ALTER TABLE treasury_payments ALTER COLUMN purpose DROP DEFAULT;
-- gap: a person resumed after somebody else had used the number.
ALTER TABLE treasury_payments ADD CONSTRAINT treasury_payments_purpose_check
    CHECK (purpose IN ('withdrawal', 'sweep', 'gas', 'gap'));

-- What was said of withdrawals alone: what everything but a gap has.
DO $$
DECLARE
    old text;
BEGIN
    FOR old IN
        SELECT conname FROM pg_constraint
        WHERE conrelid = 'treasury_payments'::regclass AND contype = 'c'
          AND pg_get_constraintdef(oid) LIKE '%operation_id IS NULL%'
    LOOP
        EXECUTE format('ALTER TABLE treasury_payments DROP CONSTRAINT %I', old);
    END LOOP;
END $$;
ALTER TABLE treasury_payments
    ADD CONSTRAINT treasury_payments_operation_check CHECK ((purpose = 'withdrawal') = (operation_id IS NOT NULL)),
    ADD CONSTRAINT treasury_payments_coin_check CHECK ((purpose = 'gap') = (coin_id IS NULL)),
    ADD CONSTRAINT treasury_payments_chain_check CHECK ((purpose = 'gap') = (chain IS NULL)),
    ADD CONSTRAINT treasury_payments_to_check CHECK ((purpose = 'gap') = (to_address IS NULL)),
    ADD CONSTRAINT treasury_payments_amount_check CHECK ((purpose = 'gap') = (raw_amount IS NULL)),
    ADD CONSTRAINT treasury_payments_depth_check CHECK ((purpose = 'gap') = (confirmations_required IS NULL));
CREATE INDEX treasury_payments_gas ON treasury_payments (to_address) WHERE purpose = 'gas' AND outcome IS NULL;

CREATE TRIGGER treasury_payments_purpose BEFORE UPDATE ON treasury_payments
    FOR EACH ROW WHEN (OLD.purpose IS DISTINCT FROM NEW.purpose) EXECUTE FUNCTION refuse_other_payment();

-- When deposits of a chain are looked through next, by whichever process is first.
CREATE TABLE sweep_passes (
    chain   text PRIMARY KEY,
    next_at timestamptz NOT NULL
);
