-- What workers have under way is a table of its own: a claim is one row, and a delivery's own row changes once,
-- when its attempt is recorded. Before, each claim wrote a new version of each row and an entry for it in eight
-- indexes, and every look afterwards stepped over what they had been.

-- What one claim took and has not recorded yet. The three lists belong together by place.
CREATE TABLE delivery_claims (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    -- Lease of the worker that has them, database clock: an efficiency, not a guarantee.
    locked_until timestamptz NOT NULL,
    deliveries   bigint[] NOT NULL,
    merchants    bigint[] NOT NULL,
    -- hashtextextended(url, 0) of each.
    urls         bigint[] NOT NULL,
    CHECK (cardinality(deliveries) > 0 AND cardinality(merchants) = cardinality(deliveries)
           AND cardinality(urls) = cardinality(deliveries))
) WITH (fillfactor = 50, toast_tuple_target = 8160, autovacuum_vacuum_scale_factor = 0,
        autovacuum_vacuum_threshold = 2000);
ALTER TABLE delivery_claims ALTER deliveries SET STORAGE EXTERNAL, ALTER merchants SET STORAGE EXTERNAL,
    ALTER urls SET STORAGE EXTERNAL;
-- Only what has not run out is read: however long rows that are gone stay in the table.
CREATE INDEX delivery_claims_until ON delivery_claims (locked_until);

-- The merchant that the last claim came to: the next one begins behind it. No row, which every claim would
-- leave a dead version of.
CREATE SEQUENCE delivery_turn MINVALUE -9223372036854775808 START 0;

-- Leases that last move over, so that nothing is sent twice because of this.
INSERT INTO delivery_claims (locked_until, deliveries, merchants, urls)
SELECT locked_until, ARRAY[id], ARRAY[merchant_id], ARRAY[hashtextextended(url, 0)] FROM deliveries
WHERE state = 'pending' AND locked_until >= clock_timestamp();

DROP FUNCTION claim_deliveries(timestamptz, int, bigint, bigint, bigint);
DROP INDEX deliveries_in_flight;
ALTER TABLE deliveries DROP COLUMN locked_until;

-- One entry for each delivery that ends, for a question that is put once in a while about whole days: a summary
-- of the pages is enough. Those that were given up are few.
DROP INDEX deliveries_age;
CREATE INDEX deliveries_age ON deliveries USING brin (created_at);
CREATE INDEX deliveries_given_up ON deliveries (created_at) WHERE state = 'failed';

-- Nobody asks for an attempt without its delivery. That there is one follows from how attempts are written:
-- from the row that their statement has just updated. The reference looked for it, and locked it, once more.
ALTER TABLE delivery_attempts DROP CONSTRAINT delivery_attempts_pkey,
    DROP CONSTRAINT delivery_attempts_delivery_id_fkey;
DROP INDEX delivery_attempts_of_delivery;
ALTER TABLE delivery_attempts ADD PRIMARY KEY (delivery_id, id);

-- Takes up to `most` deliveries that are due by `by_time`, under a lease. Left out are those whose object
-- has an earlier one to the same URL still to come (order), and URLs and merchants that have their places
-- under way (fairness); merchants take turns.
--
-- It is a function for its settings, which let each step find its rows by an index. The orders below name all
-- columns of one, or the planner might take deliveries_of_merchant, which has everything that was ever sent.
CREATE FUNCTION claim_deliveries(by_time timestamptz, lease_seconds int, most bigint,
    places_of_url bigint, places_of_merchant bigint)
RETURNS TABLE (claim_id bigint, id bigint, event_id text, merchant_id bigint, endpoint_id bigint, url text,
    schedule text, content_type text, headers jsonb, body bytea, attempts int)
LANGUAGE plpgsql ROWS 100
SET enable_seqscan = off
SET enable_bitmapscan = off
SET enable_incremental_sort = off
SET enable_hashjoin = off
SET enable_mergejoin = off
SET enable_sort = off
SET enable_memoize = off
SET jit = off
AS $$
#variable_conflict use_column
DECLARE
    -- Under way, with what this claim takes: the deliveries, and whose and where to each is.
    flying bigint[];
    flying_merchants bigint[];
    flying_urls bigint[];
    already bigint;
    -- How many of each merchant and of each URL.
    merchants bigint[];
    of_merchants bigint[];
    urls bigint[];
    of_urls bigint[];
    -- Merchants that have all their places under way.
    full_ones bigint[];
    -- The walk around the merchants: where it began, where it stands, whether it came past the last one.
    start bigint;
    here bigint;
    around boolean := false;
    is_over boolean;
    visits bigint := least(most, greatest(16, most / 6));
    visited bigint[];
    seen bigint[] := '{}';
    -- Deliveries of one merchant that are looked at first.
    share bigint;
    -- Still to take.
    room bigint;
    -- Those that have a place at their URL.
    fitting bigint[];
    chosen bigint[];
    chosen_merchants bigint[];
    chosen_urls bigint[];
    wanting bigint[];
    -- Where the walk through lanes begins: anywhere, so that each has its turn.
    first_lane bigint;
    claim bigint;
BEGIN
    -- One claim at a time: each statement below sees what the claim before has taken, so places are counted
    -- right however many processes there are. Nothing in here waits for anybody else.
    PERFORM pg_advisory_xact_lock(hashtextextended('exchequer claims of deliveries', 0));
    -- Of all this a database that breaks down may forget the last moment: leases, not deliveries. The next
    -- claim waits for no disk.
    PERFORM set_config('synchronous_commit', 'off', true);
    -- Planning each time would cost half as much again. A plan that is kept is good once there is something
    -- to tell the indexes apart by; one from when the table was small might read all of it when it is large.
    PERFORM set_config('plan_cache_mode', CASE WHEN pg_relation_size('deliveries') < 4194304
        THEN 'force_custom_plan' ELSE 'force_generic_plan' END, true);

    -- Before anything is read of the deliveries: one that ends meanwhile counts as under way a moment longer.
    SELECT coalesce(array_agg(l.delivery), '{}'), coalesce(array_agg(l.merchant), '{}'),
        coalesce(array_agg(l.url), '{}')
    INTO flying, flying_merchants, flying_urls
    FROM delivery_claims c CROSS JOIN LATERAL unnest(c.deliveries, c.merchants, c.urls)
        AS l (delivery, merchant, url)
    WHERE c.locked_until >= (SELECT clock_timestamp());
    already := cardinality(flying);
    SELECT t.last_value, t.last_value INTO start, here FROM delivery_turn t;

    LOOP
        room := most + already - cardinality(flying);
        SELECT array_agg(u.url), array_agg(u.n) INTO urls, of_urls
        FROM (SELECT f AS url, count(*) AS n FROM unnest(flying_urls) f GROUP BY f) u;
        SELECT array_agg(m.merchant), array_agg(m.n),
            coalesce(array_agg(m.merchant) FILTER (WHERE m.n >= places_of_merchant), '{}')
        INTO merchants, of_merchants, full_ones
        FROM (SELECT f AS merchant, count(*) AS n FROM unnest(flying_merchants) f GROUP BY f) m;

        -- The next merchants that have something due and places for it.
        WITH RECURSIVE owners (merchant_id, due_at, around, number) AS (
            SELECT here, NULL::timestamptz, around, 0
            UNION ALL
            SELECT n.merchant_id, n.next_attempt_at, n.around, o.number + 1
            FROM owners o CROSS JOIN LATERAL (
                (SELECT d.merchant_id, d.next_attempt_at, o.around FROM deliveries d
                 WHERE d.state = 'pending' AND d.merchant_id > o.merchant_id
                   AND d.merchant_id <= CASE WHEN o.around THEN start ELSE 9223372036854775807 END
                 ORDER BY d.merchant_id, d.next_attempt_at, d.id LIMIT 1)
                UNION ALL
                (SELECT d.merchant_id, d.next_attempt_at, true FROM deliveries d
                 WHERE d.state = 'pending' AND NOT o.around AND d.merchant_id <= start
                 ORDER BY d.merchant_id, d.next_attempt_at, d.id LIMIT 1)
                LIMIT 1) n)
        SELECT array_agg(v.merchant_id), bool_or(v.around) INTO visited, around
        FROM (SELECT o.merchant_id, o.around FROM owners o
              WHERE o.number > 0 AND o.due_at <= by_time AND o.merchant_id <> ALL (full_ones)
              LIMIT visits) v;
        EXIT WHEN visited IS NULL;
        seen := seen || visited;
        here := visited[cardinality(visited)];
        is_over := cardinality(visited) < visits OR cardinality(seen) >= greatest(most, 64);
        share := least(places_of_merchant, greatest(2, 1 + room / cardinality(visited)));

        -- Of each what is due for longest. Nobody reads through all that waits behind an attempt of later on.
        -- A merchant is wanting where that was too little and there is more.
        WITH front AS MATERIALIZED (
            SELECT v.merchant_id, c.id, c.lane, c.next_attempt_at, row_number() OVER (
                PARTITION BY c.lane ORDER BY c.next_attempt_at, c.id)
                + coalesce(of_urls[array_position(urls, c.lane)], 0) AS place
            FROM unnest(visited) v (merchant_id) CROSS JOIN LATERAL (
                SELECT q.id, hashtextextended(q.url, 0) AS lane, q.next_attempt_at FROM (
                    SELECT d.id, d.url, d.object, d.next_attempt_at FROM deliveries d
                    WHERE d.merchant_id = v.merchant_id AND d.state = 'pending'
                      AND d.next_attempt_at <= by_time AND d.id NOT IN (SELECT unnest(flying))
                    ORDER BY d.next_attempt_at, d.id LIMIT 128) q
                WHERE q.id = (SELECT e.id FROM deliveries e
                              WHERE e.object = q.object AND e.url = q.url AND e.state = 'pending'
                              ORDER BY e.id LIMIT 1)
                ORDER BY q.next_attempt_at, q.id LIMIT share) c),
        placed AS MATERIALIZED (
            SELECT f.merchant_id, f.id, f.lane, f.next_attempt_at, row_number() OVER (
                PARTITION BY f.merchant_id ORDER BY f.next_attempt_at, f.id)
                + coalesce(of_merchants[array_position(merchants, f.merchant_id)], 0) AS turn
            FROM front f WHERE f.place <= places_of_url),
        chosen AS (
            SELECT p.merchant_id, p.id, p.lane FROM placed p WHERE p.turn <= places_of_merchant
            ORDER BY p.turn, p.next_attempt_at, p.id LIMIT room),
        counted AS (
            SELECT each.merchant_id, count(each.id) AS found, sum(count(each.id)) OVER () AS in_all,
                coalesce(of_merchants[array_position(merchants, each.merchant_id)], 0) AS flying
            FROM (SELECT p.merchant_id, p.id FROM placed p
                  UNION ALL SELECT m, NULL FROM unnest(visited) m) each
            GROUP BY each.merchant_id)
        SELECT (SELECT array_agg(p.id) FROM placed p),
            (SELECT array_agg(w.merchant_id) FROM counted w
             WHERE w.flying + w.found < places_of_merchant
               AND (w.found < least(share, places_of_url) OR is_over AND w.in_all < room)
               AND EXISTS (SELECT FROM deliveries d
                           WHERE d.merchant_id = w.merchant_id AND d.state = 'pending'
                             AND d.next_attempt_at <= by_time
                           ORDER BY d.next_attempt_at, d.id OFFSET w.found + w.flying LIMIT 1)),
            array_agg(c.id), array_agg(c.merchant_id), array_agg(c.lane)
        INTO fitting, wanting, chosen, chosen_merchants, chosen_urls FROM chosen c;

        -- As many lanes of those as can be needed, from anywhere on, once around: a URL whose places are
        -- taken hides no other one for long.
        IF wanting IS NOT NULL THEN
            first_lane := hashtextextended(random()::text, 0);
            WITH RECURSIVE lanes (merchant_id, first, lane, number) AS (
                SELECT s.merchant_id, s.lane, s.lane, 1
                FROM (SELECT w.merchant_id, coalesce(
                          (SELECT hashtextextended(d.url, 0) FROM deliveries d
                           WHERE d.merchant_id = w.merchant_id AND d.state = 'pending'
                             AND hashtextextended(d.url, 0) >= first_lane
                           ORDER BY hashtextextended(d.url, 0), d.next_attempt_at, d.id LIMIT 1),
                          (SELECT hashtextextended(d.url, 0) FROM deliveries d
                           WHERE d.merchant_id = w.merchant_id AND d.state = 'pending'
                           ORDER BY hashtextextended(d.url, 0), d.next_attempt_at, d.id LIMIT 1)) AS lane
                      FROM unnest(wanting) w (merchant_id)) s
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
            due AS (
                SELECT d.merchant_id, hashtextextended(d.url, 0) AS lane, d.id, d.next_attempt_at
                FROM deliveries d WHERE d.id = ANY (fitting)
                UNION
                SELECT l.merchant_id, l.lane, c.id, c.next_attempt_at
                FROM lanes l CROSS JOIN LATERAL (
                    SELECT q.id, q.next_attempt_at FROM (
                        SELECT d.id, d.url, d.object, d.next_attempt_at FROM deliveries d
                        WHERE d.merchant_id = l.merchant_id AND hashtextextended(d.url, 0) = l.lane
                          AND d.state = 'pending' AND d.next_attempt_at <= by_time
                          AND d.id NOT IN (SELECT unnest(flying))
                        ORDER BY d.next_attempt_at, d.id LIMIT 128) q
                    WHERE q.id = (SELECT e.id FROM deliveries e
                                  WHERE e.object = q.object AND e.url = q.url AND e.state = 'pending'
                                  ORDER BY e.id LIMIT 1)
                    ORDER BY q.next_attempt_at, q.id LIMIT places_of_url) c),
            placed AS (
                SELECT d.merchant_id, d.lane, d.id, d.next_attempt_at, row_number() OVER (
                    PARTITION BY d.lane ORDER BY d.next_attempt_at, d.id)
                    + coalesce(of_urls[array_position(urls, d.lane)], 0) AS place
                FROM due d),
            turns AS (
                SELECT p.merchant_id, p.lane, p.id, p.next_attempt_at, row_number() OVER (
                    PARTITION BY p.merchant_id ORDER BY p.next_attempt_at, p.id)
                    + coalesce(of_merchants[array_position(merchants, p.merchant_id)], 0) AS turn
                FROM placed p WHERE p.place <= places_of_url)
            SELECT array_agg(c.id), array_agg(c.merchant_id), array_agg(c.lane)
            INTO chosen, chosen_merchants, chosen_urls
            FROM (SELECT t.merchant_id, t.lane, t.id FROM turns t WHERE t.turn <= places_of_merchant
                  ORDER BY t.turn, t.next_attempt_at, t.id LIMIT room) c;
        END IF;
        flying := flying || chosen;
        flying_merchants := flying_merchants || chosen_merchants;
        flying_urls := flying_urls || chosen_urls;
        EXIT WHEN is_over OR cardinality(flying) - already >= most;
        visits := least(2 * visits, greatest(most, 64) - cardinality(seen));
    END LOOP;
    IF here <> start THEN
        PERFORM setval('delivery_turn', here);
    END IF;
    chosen := flying[already + 1:];

    -- What waits behind an attempt of later on is due when that is, and out of the way until then. Under the
    -- lock of the one before, so that nobody makes that sooner at the same time and leaves this one behind.
    IF cardinality(seen) > 0 AND (cardinality(chosen) < most OR random() < 0.1) THEN
        UPDATE deliveries d SET next_attempt_at = behind.due_at
        FROM (
            SELECT p.id, f.next_attempt_at AS due_at
            FROM unnest(seen) m CROSS JOIN LATERAL (
                SELECT w.id, w.object, w.url FROM deliveries w
                WHERE w.merchant_id = m AND w.state = 'pending' AND w.next_attempt_at <= by_time
                  AND w.id NOT IN (SELECT unnest(flying))
                ORDER BY w.next_attempt_at, w.id LIMIT greatest(8, 256 / cardinality(seen))) w
            CROSS JOIN LATERAL (
                SELECT e.id FROM deliveries e
                WHERE e.object = w.object AND e.url = w.url AND e.state = 'pending'
                ORDER BY e.id LIMIT 1) first
            JOIN deliveries f ON f.id = first.id AND first.id <> w.id AND f.next_attempt_at > by_time
            JOIN deliveries p ON p.id = w.id AND p.next_attempt_at <= by_time
            FOR NO KEY UPDATE OF f, p SKIP LOCKED) behind
        WHERE d.id = behind.id;
    END IF;
    -- Those of workers that died. Nobody counts them any more.
    IF cardinality(chosen) = 0 OR random() < 0.01 THEN
        DELETE FROM delivery_claims c WHERE c.id IN (
            SELECT e.id FROM delivery_claims e WHERE e.locked_until < (SELECT clock_timestamp())
            FOR UPDATE SKIP LOCKED);
    END IF;
    IF cardinality(chosen) = 0 THEN
        RETURN;
    END IF;

    INSERT INTO delivery_claims (locked_until, deliveries, merchants, urls)
    VALUES (clock_timestamp() + lease_seconds * interval '1 second', chosen, flying_merchants[already + 1:],
            flying_urls[already + 1:])
    RETURNING delivery_claims.id INTO claim;
    -- No question about the state here: with it the planner might take a partial index, all of it, for shorter
    -- than the ids.
    RETURN QUERY
    SELECT claim, d.id, d.event_id, d.merchant_id, d.endpoint_id, d.url, d.schedule, d.content_type, d.headers,
        d.body, d.attempts
    FROM deliveries d WHERE d.id = ANY (chosen);
END $$;
