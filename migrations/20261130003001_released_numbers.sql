-- A payment that the signer refuses gives its number back, if nobody can have a signature of it: the next
-- payment gets the number, and the withdrawal waits without one (decision 038). What was planned stays
-- on record.

-- A number may have had several owners now, of which at most one was not released.
ALTER TABLE treasury_payments DROP CONSTRAINT treasury_payments_pkey;
ALTER TABLE treasury_payments ADD PRIMARY KEY (id);
ALTER TABLE treasury_payments DROP CONSTRAINT treasury_payments_operation_id_key;
CREATE INDEX treasury_payments_of_operation ON treasury_payments (operation_id);
ALTER TABLE treasury_payments DROP CONSTRAINT treasury_payments_outcome_check;
-- released: the number is another payment's, or nobody's yet; nothing was ever signed.
ALTER TABLE treasury_payments ADD CONSTRAINT treasury_payments_outcome_check
    CHECK (outcome IN ('paid', 'failed', 'taken', 'released'));
CREATE UNIQUE INDEX treasury_payments_one_owner ON treasury_payments (chain_id, address, nonce)
    WHERE outcome IS DISTINCT FROM 'released';
CREATE UNIQUE INDEX treasury_payments_one_number ON treasury_payments (operation_id)
    WHERE outcome IS DISTINCT FROM 'released';

-- dropped: never to be signed.
ALTER TABLE treasury_txs DROP CONSTRAINT treasury_txs_state_check;
ALTER TABLE treasury_txs ADD CONSTRAINT treasury_txs_state_check
    CHECK (state IN ('drafted', 'signed', 'broadcast', 'confirmed', 'replaced', 'dropped'));
ALTER TABLE treasury_txs ADD CONSTRAINT treasury_txs_dropped_unsigned CHECK (state <> 'dropped' OR raw IS NULL);
-- The signer was asked and its answer was lost: it may have signed.
ALTER TABLE treasury_txs ADD COLUMN unheard boolean NOT NULL DEFAULT false;

CREATE FUNCTION refuse_release() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.outcome = 'released' AND NEW.outcome IS DISTINCT FROM 'released' THEN
        RAISE EXCEPTION 'a number that was given back stays so' USING ERRCODE = 'restrict_violation';
    END IF;
    IF NEW.outcome = 'released' AND EXISTS (
        SELECT FROM treasury_txs x WHERE x.payment_id = NEW.id
            AND (x.state <> 'dropped' OR x.downloaded_at IS NOT NULL OR x.unheard)) THEN
        RAISE EXCEPTION 'somebody may have a signature with this number' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER treasury_payments_released BEFORE UPDATE OF outcome ON treasury_payments
    FOR EACH ROW EXECUTE FUNCTION refuse_release();
