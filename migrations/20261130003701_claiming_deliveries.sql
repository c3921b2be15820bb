-- A claim of deliveries costs what it takes, not what waits. It goes from lane to lane, a lane being a
-- merchant and a URL, and looks at the front of each; before, it ranked the whole queue.

-- The lanes, and in each what is due first.
CREATE INDEX deliveries_lane ON deliveries (merchant_id, url, next_attempt_at, id) WHERE state = 'pending';
-- Nobody looks for what is due in all lanes any more, and deliveries_once begins with the event. Every
-- claim and every attempt would keep both up to date.
DROP INDEX deliveries_due;
DROP INDEX deliveries_of_event;

-- Takes up to `most` deliveries that are due by `by_time`, under a lease. Left out are those whose object
-- has an earlier one to the same URL still to come (order), and URLs and merchants that have their places
-- under way (fairness); merchants take turns.
--
-- It is a function for its settings: a statement that was planned while the table was small would go on
-- reading all of it when it is large. So it is planned each time, and every step takes an index.
CREATE FUNCTION claim_deliveries(by_time timestamptz, lease_seconds int, most bigint,
    places_of_url bigint, places_of_merchant bigint)
RETURNS SETOF deliveries LANGUAGE plpgsql ROWS 100
SET enable_seqscan = off
SET enable_bitmapscan = off
SET enable_incremental_sort = off
SET enable_hashjoin = off
SET enable_mergejoin = off
SET jit = off
SET plan_cache_mode = force_custom_plan
AS $$
DECLARE
    candidates bigint[];
    held bigint[];
BEGIN
    WITH RECURSIVE lanes (merchant_id, url) AS (
        (SELECT d.merchant_id, d.url FROM deliveries d
         WHERE d.state = 'pending' ORDER BY d.merchant_id, d.url LIMIT 1)
        UNION ALL
        SELECT n.merchant_id, n.url FROM lanes l CROSS JOIN LATERAL (
            SELECT d.merchant_id, d.url FROM deliveries d
            WHERE d.state = 'pending' AND (d.merchant_id, d.url) > (l.merchant_id, l.url)
            ORDER BY d.merchant_id, d.url LIMIT 1) n),
    busy AS (
        SELECT l.merchant_id, l.url, b.of_url,
            (sum(b.of_lane) OVER (PARTITION BY l.merchant_id))::bigint AS of_merchant
        FROM lanes l CROSS JOIN LATERAL (
            SELECT count(*) AS of_url, count(*) FILTER (WHERE f.merchant_id = l.merchant_id) AS of_lane
            FROM deliveries f
            WHERE f.url = l.url AND f.state = 'pending' AND f.locked_until IS NOT NULL
              AND f.locked_until >= clock_timestamp()) b),
    due AS (
        SELECT o.merchant_id, o.url, o.of_url, o.of_merchant, c.id, c.next_attempt_at
        FROM busy o CROSS JOIN LATERAL (
            SELECT d.id, d.next_attempt_at FROM deliveries d
            WHERE d.merchant_id = o.merchant_id AND d.url = o.url AND d.state = 'pending'
              AND d.next_attempt_at <= by_time
              AND (d.locked_until IS NULL OR d.locked_until < clock_timestamp())
              AND d.id = (SELECT e.id FROM deliveries e
                          WHERE e.object = d.object AND e.url = d.url AND e.state = 'pending'
                          ORDER BY e.id LIMIT 1)
            ORDER BY d.next_attempt_at, d.id LIMIT places_of_url) c
        WHERE o.of_url < places_of_url AND o.of_merchant < places_of_merchant),
    placed AS (
        SELECT due.id, due.merchant_id, due.next_attempt_at, due.of_merchant,
            due.of_url + row_number() OVER (
                PARTITION BY due.url ORDER BY due.next_attempt_at, due.id) AS place
        FROM due),
    turns AS (
        SELECT placed.id, placed.next_attempt_at,
            placed.of_merchant + row_number() OVER (
                PARTITION BY placed.merchant_id ORDER BY placed.next_attempt_at, placed.id) AS turn
        FROM placed WHERE placed.place <= places_of_url),
    chosen AS (
        SELECT turns.id, turns.turn, turns.next_attempt_at FROM turns WHERE turns.turn <= places_of_merchant
        ORDER BY turns.turn, turns.next_attempt_at, turns.id LIMIT most * 4)
    SELECT array_agg(chosen.id ORDER BY chosen.turn, chosen.next_attempt_at, chosen.id)
    INTO candidates FROM chosen;

    -- Several times as many as are wanted, because another claim may be at the first of them just now. What
    -- it was quicker with is seen under the lock. No question about the state here: next_attempt_at tells it,
    -- and with it the planner might take a partial index, all of it, for shorter than the ids.
    held := ARRAY(
        SELECT p.id FROM deliveries p
        WHERE p.id = ANY (candidates[1 : most::int]) AND p.next_attempt_at <= by_time
          AND (p.locked_until IS NULL OR p.locked_until < clock_timestamp())
        FOR NO KEY UPDATE SKIP LOCKED);
    IF cardinality(held) < most AND cardinality(candidates) > most THEN
        held := held || ARRAY(
            SELECT p.id FROM deliveries p
            WHERE p.id = ANY (candidates[most::int + 1 :]) AND p.next_attempt_at <= by_time
              AND (p.locked_until IS NULL OR p.locked_until < clock_timestamp())
            LIMIT most - cardinality(held) FOR NO KEY UPDATE SKIP LOCKED);
    END IF;
    RETURN QUERY
    UPDATE deliveries d SET locked_until = clock_timestamp() + lease_seconds * interval '1 second'
    WHERE d.id = ANY (held)
    RETURNING d.*;
END $$;
