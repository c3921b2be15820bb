-- When a delivery was given up. Ten attempts take three days, so the day it was made does not tell how many were
-- given up today: one that used up its schedule was never among those of the last day.

-- Instance clock, that of the last attempt; NULL unless it was given up.
ALTER TABLE deliveries ADD COLUMN given_up_at timestamptz;
UPDATE deliveries d SET given_up_at = coalesce(
    (SELECT max(a.at) FROM delivery_attempts a WHERE a.delivery_id = d.id), d.created_at)
WHERE d.state = 'failed';
DROP INDEX deliveries_given_up;
CREATE INDEX deliveries_given_up ON deliveries (given_up_at) WHERE state = 'failed';

-- As in 20261201005401, and notes that.
CREATE OR REPLACE FUNCTION record_deliveries(claims bigint[], ids bigint[], states text[], due timestamptz[],
    made_at timestamptz[], statuses int[], durations bigint[], errors text[], heads text[])
RETURNS void LANGUAGE plpgsql
SET enable_seqscan = off
SET enable_bitmapscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
SET jit = off
SET plan_cache_mode = force_generic_plan
AS $$
BEGIN
    WITH noted AS (
        UPDATE deliveries d
        SET attempts = d.attempts + 1,
            state = CASE WHEN d.state = 'pending' OR t.state = 'delivered' THEN t.state ELSE d.state END,
            next_attempt_at = CASE WHEN d.state = 'pending' THEN t.due END,
            delivered_at = CASE WHEN t.state = 'delivered' THEN t.at ELSE d.delivered_at END,
            given_up_at = CASE WHEN d.state = 'pending' AND t.state = 'failed' THEN t.at
                               WHEN d.state = 'failed' AND t.state <> 'delivered' THEN d.given_up_at END
        FROM unnest(claims, ids, states, due, made_at, statuses, durations, errors, heads)
             AS t (claim, id, state, due, at, status, duration_ms, error, response_head)
        WHERE d.id = t.id
        RETURNING d.id, t.claim, d.attempts, t.at, t.status, t.duration_ms, t.error, t.response_head)
    INSERT INTO delivery_attempts (delivery_id, claim_id, number, at, status, duration_ms, error, response_head)
    SELECT n.id, n.claim, n.attempts, n.at, n.status, n.duration_ms, n.error, n.response_head FROM noted n;

    DELETE FROM delivery_claims c WHERE c.id = ANY (claims) AND c.deliveries <@ ids;
    UPDATE delivery_claims c SET (deliveries, merchants, urls) = (
        SELECT array_agg(l.delivery), array_agg(l.merchant), array_agg(l.url)
        FROM unnest(c.deliveries, c.merchants, c.urls) AS l (delivery, merchant, url)
        WHERE l.delivery <> ALL (ids))
    WHERE c.id = ANY (claims) AND c.deliveries && ids;
END $$;
