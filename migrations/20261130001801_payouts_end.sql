-- Payouts that come to nothing: when their coins are free again, and when a withdrawal may leave one.

-- The block in which another transaction took what this one spends; NULL while none has, and when it is
-- not known. How deep that block is says whether this transaction can still be mined.
ALTER TABLE chain_txs ADD COLUMN replaced_height bigint;
CREATE INDEX chain_txs_replaced_in ON chain_txs (chain, replaced_height) WHERE replaced_height IS NOT NULL;
-- What was replaced before this was noted: by the block of the other one, or at the latest by now.
UPDATE chain_txs c SET replaced_height = coalesce(
        (SELECT t.height FROM chain_txs t
         WHERE t.chain = c.chain AND t.txid = c.replaced_by AND t.status = 'confirmed'),
        (SELECT max(b.height) FROM chain_blocks b WHERE b.chain = c.chain AND b.active))
WHERE c.status = 'replaced'
  AND NOT EXISTS (SELECT FROM chain_txs t WHERE t.chain = c.chain AND t.txid = c.replaced_by
                  AND t.status <> 'confirmed');

-- dropped: never to be sent. Nobody signed it, or other transactions took its coins for good.
ALTER TABLE payout_txs
    DROP CONSTRAINT payout_txs_state_check,
    ADD CONSTRAINT payout_txs_state_check
        CHECK (state IN ('drafted', 'signed', 'broadcast', 'confirmed', 'replaced', 'dropped'));
-- Nothing of it can be mined any more, and its coins are free.
ALTER TABLE payouts ADD COLUMN ended_at timestamptz;

-- Whether a transaction of a payout can never be mined: one that is not of the payout has taken one of
-- its coins, in a block that has `deep` blocks up to the tip, its own included.
CREATE FUNCTION payout_tx_is_dead(tx bigint, tip bigint, deep bigint) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (
        SELECT FROM payout_txs x
        CROSS JOIN LATERAL jsonb_array_elements(x.plan->'inputs') i
        JOIN chain_spends s ON s.chain = x.chain
            AND s.prev_txid = split_part(i->>'outpoint', ':', 1)
            AND s.prev_vout = split_part(i->>'outpoint', ':', 2)::int
        JOIN chain_txs t ON t.chain = s.chain AND t.txid = s.txid AND t.status = 'confirmed'
        WHERE x.id = tx AND tip - t.height + 1 >= deep
          AND NOT EXISTS (SELECT FROM payout_txs y WHERE y.payout_id = x.payout_id AND y.txid = s.txid))
$$;

-- A withdrawal leaves its payout only while nobody has signed anything of it, and nobody will.
CREATE OR REPLACE FUNCTION refuse_other_payout() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.payout_id IS NULL AND OLD.state = 'queued' AND NOT EXISTS (
        SELECT FROM payout_txs x WHERE x.payout_id = OLD.payout_id
            AND (x.state <> 'dropped' OR x.raw IS NOT NULL)) THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'a withdrawal never leaves its payout' USING ERRCODE = 'restrict_violation';
END $$;

-- Indices of change that a dropped draft had taken and nobody ever paid; used before new ones.
CREATE TABLE payout_free_change (
    chain text NOT NULL,
    idx   bigint NOT NULL CHECK (idx BETWEEN 0 AND 2147483647),
    PRIMARY KEY (chain, idx)
);

-- How often the signer's rules refused to pay it. One that was refused is planned alone from then on.
ALTER TABLE withdrawals ADD COLUMN refusals int NOT NULL DEFAULT 0 CHECK (refusals >= 0);
