-- An attempt has one record, however often it is written down: a commit whose answer was lost is repeated, and
-- nobody knows whether the first one was done. What tells attempts apart is the claim that each was made under.

-- NULL: recorded before this.
ALTER TABLE delivery_attempts ADD COLUMN claim_id bigint;
-- In place of the primary key, so that an attempt makes one entry in one index, as before.
ALTER TABLE delivery_attempts DROP CONSTRAINT delivery_attempts_pkey,
    ADD CONSTRAINT delivery_attempts_once UNIQUE (delivery_id, claim_id);

-- Records one attempt each of several deliveries, and takes them out of the claims they came from. They are
-- given in the order of their ids, in which they are locked, and each once; the lists belong together by place,
-- that of the claims, too.
-- One that is over stays so whatever came of another attempt, except that it arrives: two are made when a lease
-- ran out. The lease of the other one stays with whoever makes that.
-- An attempt that has its record already is refused with all others, by `delivery_attempts_once`.
CREATE FUNCTION record_deliveries(claims bigint[], ids bigint[], states text[], due timestamptz[],
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
            delivered_at = CASE WHEN t.state = 'delivered' THEN t.at ELSE d.delivered_at END
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
