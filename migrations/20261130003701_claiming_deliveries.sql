-- A claim of deliveries costs what it takes, not what waits; before, it ranked the whole queue. It goes from
-- merchant to merchant, takes of each what is due for longest, and looks into lanes, a lane being a merchant
-- and a URL, when that leads nowhere. Nothing is read of merchants that have nothing due, and of none more
-- than a bounded part.

-- The merchants, and of each what is due first.
CREATE INDEX deliveries_turn ON deliveries (merchant_id, next_attempt_at, id) WHERE state = 'pending';
-- The lanes of a merchant in an order that is nobody's advantage, and in each what is due first.
CREATE INDEX deliveries_lane ON deliveries (merchant_id, hashtextextended(url, 0), next_attempt_at, id)
    WHERE state = 'pending';
-- Nobody looks for what is due of all merchants any more, and deliveries_once begins with the event. Every
-- claim and every attempt would keep both up to date.
DROP INDEX deliveries_due;
DROP INDEX deliveries_of_event;

-- Takes up to `most` deliveries that are due by `by_time`, under a lease. Left out are those whose object
-- has an earlier one to the same URL still to come (order), and URLs and merchants that have their places
-- under way (fairness); merchants take turns.
--
-- It is a function for its settings: a statement that was planned while the table was small would go on
-- reading all of it when it is large. So it is planned each time, and every step takes an index. The orders
-- below name all columns of one, or the planner might take deliveries_of_merchant, which has everything that
-- was ever sent in it.
CREATE FUNCTION claim_deliveries(by_time timestamptz, lease_seconds int, most bigint,
    places_of_url bigint, places_of_merchant bigint)
RETURNS SETOF deliveries LANGUAGE plpgsql ROWS 100
SET enable_seqscan = off
SET enable_bitmapscan = off
SET enable_incremental_sort = off
SET enable_hashjoin = off
SET enable_mergejoin = off
SET enable_sort = off
SET jit = off
SET plan_cache_mode = force_custom_plan
AS $$
DECLARE
    candidates bigint[];
    held bigint[];
    visited bigint[];
    -- Deliveries of one merchant that are looked at first.
    share bigint;
    -- Where the walk through lanes begins: anywhere, so that each has its turn.
    start bigint := hashtextextended(random()::text, 0);
BEGIN
    -- One claim at a time: each statement below sees what the claim before has taken, so places are counted
    -- right however many processes there are. Nothing in here waits for anybody else.
    PERFORM pg_advisory_xact_lock(hashtextextended('exchequer claims of deliveries', 0));

    -- Merchants that have something due, no more than can fill a claim, whoever comes first by chance.
    WITH RECURSIVE owners (merchant_id, due_at) AS (
        (SELECT d.merchant_id, d.next_attempt_at FROM deliveries d
         WHERE d.state = 'pending' ORDER BY d.merchant_id, d.next_attempt_at, d.id LIMIT 1)
        UNION ALL
        SELECT n.merchant_id, n.next_attempt_at FROM owners o CROSS JOIN LATERAL (
            SELECT d.merchant_id, d.next_attempt_at FROM deliveries d
            WHERE d.state = 'pending' AND d.merchant_id > o.merchant_id
            ORDER BY d.merchant_id, d.next_attempt_at, d.id LIMIT 1) n)
    SELECT array_agg(chance.merchant_id) INTO visited FROM (
        SELECT o.merchant_id FROM owners o WHERE o.due_at <= by_time
        ORDER BY random() LIMIT greatest(most, 64)) chance;
    IF visited IS NULL THEN
        RETURN;
    END IF;
    share := least(places_of_merchant, greatest(2, 1 + most / cardinality(visited)));

    WITH RECURSIVE flying AS MATERIALIZED (
        SELECT f.merchant_id, f.url FROM deliveries f
        WHERE f.state = 'pending' AND f.locked_until IS NOT NULL AND f.locked_until >= clock_timestamp()),
    of_urls AS MATERIALIZED (SELECT flying.url, count(*) AS n FROM flying GROUP BY flying.url),
    open AS MATERIALIZED (
        SELECT v.merchant_id, v.of_merchant
        FROM (SELECT m AS merchant_id,
                  (SELECT count(*) FROM flying WHERE flying.merchant_id = m) AS of_merchant
              FROM unnest(visited) m) v
        WHERE v.of_merchant < places_of_merchant),
    -- Of each what is due for longest. Nobody reads through all that waits behind an attempt of later on.
    oldest AS MATERIALIZED (
        SELECT o.merchant_id, c.url, c.id, c.next_attempt_at, row_number() OVER (
            PARTITION BY c.url, o.merchant_id ORDER BY c.next_attempt_at, c.id)
            + coalesce((SELECT u.n FROM of_urls u WHERE u.url = c.url), 0) AS place
        FROM open o CROSS JOIN LATERAL (
            SELECT q.id, q.url, q.next_attempt_at FROM (
                SELECT d.id, d.url, d.object, d.next_attempt_at FROM deliveries d
                WHERE d.merchant_id = o.merchant_id AND d.state = 'pending' AND d.next_attempt_at <= by_time
                  AND (d.locked_until IS NULL OR d.locked_until < clock_timestamp())
                ORDER BY d.next_attempt_at, d.id LIMIT 128) q
            WHERE q.id = (SELECT e.id FROM deliveries e
                          WHERE e.object = q.object AND e.url = q.url AND e.state = 'pending'
                          ORDER BY e.id LIMIT 1)
            ORDER BY q.next_attempt_at, q.id LIMIT share) c),
    -- Where that is too little and there is more, as many lanes as can be needed, from anywhere on, once
    -- around: a URL whose places are taken hides no other one for long.
    wanting AS MATERIALIZED (
        SELECT p.merchant_id
        FROM (SELECT o.merchant_id, o.of_merchant, count(oldest.id) AS found,
                  sum(count(oldest.id)) OVER () AS in_all
              FROM open o LEFT JOIN oldest
                  ON oldest.merchant_id = o.merchant_id AND oldest.place <= places_of_url
              GROUP BY o.merchant_id, o.of_merchant) p
        WHERE p.of_merchant + p.found < places_of_merchant
          AND (p.found < least(share, places_of_url) OR p.in_all < most)
          AND EXISTS (SELECT FROM deliveries d WHERE d.merchant_id = p.merchant_id AND d.state = 'pending'
                      AND d.next_attempt_at <= by_time
                      ORDER BY d.next_attempt_at, d.id OFFSET p.found LIMIT 1)),
    lanes (merchant_id, first, lane, number) AS (
        SELECT s.merchant_id, s.lane, s.lane, 1
        FROM (SELECT w.merchant_id, coalesce(
                  (SELECT hashtextextended(d.url, 0) FROM deliveries d
                   WHERE d.merchant_id = w.merchant_id AND d.state = 'pending'
                     AND hashtextextended(d.url, 0) >= start
                   ORDER BY hashtextextended(d.url, 0), d.next_attempt_at, d.id LIMIT 1),
                  (SELECT hashtextextended(d.url, 0) FROM deliveries d
                   WHERE d.merchant_id = w.merchant_id AND d.state = 'pending'
                   ORDER BY hashtextextended(d.url, 0), d.next_attempt_at, d.id LIMIT 1)) AS lane FROM wanting w) s
        WHERE s.lane IS NOT NULL
        UNION ALL
        SELECT n.merchant_id, n.first, n.lane, n.number
        FROM (SELECT l.merchant_id, l.first, l.number + 1 AS number, coalesce(
                  (SELECT hashtextextended(d.url, 0) FROM deliveries d
                   WHERE d.merchant_id = l.merchant_id AND d.state = 'pending'
                     AND hashtextextended(d.url, 0) > l.lane
                   ORDER BY hashtextextended(d.url, 0), d.next_attempt_at, d.id LIMIT 1),
                  (SELECT hashtextextended(d.url, 0) FROM deliveries d
                   WHERE d.merchant_id = l.merchant_id AND d.state = 'pending'
                   ORDER BY hashtextextended(d.url, 0), d.next_attempt_at, d.id LIMIT 1)) AS lane
              FROM lanes l WHERE l.number < places_of_merchant) n
        WHERE n.lane <> n.first),
    fronts AS (
        SELECT l.merchant_id, c.url, c.id, c.next_attempt_at
        FROM lanes l CROSS JOIN LATERAL (
            SELECT q.id, q.url, q.next_attempt_at FROM (
                SELECT d.id, d.url, d.object, d.next_attempt_at FROM deliveries d
                WHERE d.merchant_id = l.merchant_id AND hashtextextended(d.url, 0) = l.lane
                  AND d.state = 'pending' AND d.next_attempt_at <= by_time
                  AND (d.locked_until IS NULL OR d.locked_until < clock_timestamp())
                ORDER BY d.next_attempt_at, d.id LIMIT 128) q
            WHERE q.id = (SELECT e.id FROM deliveries e
                          WHERE e.object = q.object AND e.url = q.url AND e.state = 'pending'
                          ORDER BY e.id LIMIT 1)
            ORDER BY q.next_attempt_at, q.id LIMIT places_of_url) c),
    due AS (
        SELECT oldest.merchant_id, oldest.url, oldest.id, oldest.next_attempt_at FROM oldest
        WHERE oldest.place <= places_of_url
        UNION
        SELECT fronts.merchant_id, fronts.url, fronts.id, fronts.next_attempt_at FROM fronts),
    placed AS (
        SELECT due.id, due.merchant_id, due.next_attempt_at,
            coalesce(u.n, 0) + row_number() OVER (
                PARTITION BY due.url ORDER BY due.next_attempt_at, due.id) AS place
        FROM due LEFT JOIN of_urls u ON u.url = due.url),
    turns AS (
        SELECT placed.id, placed.next_attempt_at,
            o.of_merchant + row_number() OVER (
                PARTITION BY placed.merchant_id ORDER BY placed.next_attempt_at, placed.id) AS turn
        FROM placed JOIN open o ON o.merchant_id = placed.merchant_id WHERE placed.place <= places_of_url),
    chosen AS (
        SELECT turns.id, turns.turn, turns.next_attempt_at FROM turns WHERE turns.turn <= places_of_merchant
        ORDER BY turns.turn, turns.next_attempt_at, turns.id LIMIT most)
    SELECT array_agg(chosen.id) INTO candidates FROM chosen;

    -- What is sent again by hand just now is passed over. No question about the state here: next_attempt_at
    -- tells it, and with it the planner might take a partial index, all of it, for shorter than the ids.
    held := ARRAY(
        SELECT p.id FROM deliveries p
        WHERE p.id = ANY (candidates) AND p.next_attempt_at <= by_time
          AND (p.locked_until IS NULL OR p.locked_until < clock_timestamp())
        FOR NO KEY UPDATE SKIP LOCKED);

    -- What waits behind an attempt of later on is due when that is, and out of the way until then. Under the
    -- lock of the one before, so that nobody makes that sooner at the same time and leaves this one behind.
    IF coalesce(cardinality(candidates), 0) < most OR random() < 0.1 THEN
        UPDATE deliveries d SET next_attempt_at = behind.due_at
        FROM (
            SELECT p.id, f.next_attempt_at AS due_at
            FROM unnest(visited) m CROSS JOIN LATERAL (
                SELECT w.id, w.object, w.url FROM deliveries w
                WHERE w.merchant_id = m AND w.state = 'pending' AND w.next_attempt_at <= by_time
                  AND (w.locked_until IS NULL OR w.locked_until < clock_timestamp())
                ORDER BY w.next_attempt_at, w.id LIMIT greatest(8, 256 / cardinality(visited))) w
            CROSS JOIN LATERAL (
                SELECT e.id FROM deliveries e
                WHERE e.object = w.object AND e.url = w.url AND e.state = 'pending'
                ORDER BY e.id LIMIT 1) first
            JOIN deliveries f ON f.id = first.id AND f.next_attempt_at > by_time
            JOIN deliveries p ON p.id = w.id AND p.next_attempt_at <= by_time
                AND (p.locked_until IS NULL OR p.locked_until < clock_timestamp())
            FOR NO KEY UPDATE OF f, p SKIP LOCKED) behind
        WHERE d.id = behind.id;
    END IF;
    RETURN QUERY
    UPDATE deliveries d SET locked_until = clock_timestamp() + lease_seconds * interval '1 second'
    WHERE d.id = ANY (held)
    RETURNING d.*;
END $$;
