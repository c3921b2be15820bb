//! Questions about the outbox: that everything that happened is told, and nothing else.

pub(super) const CHANGES_HAVE_EVENTS: &str = "
    SELECT format('charge:%s: %s times %s, %s events', t.charge_id, t.times, t.kind,
                  coalesce(e.events, 0))
    FROM (SELECT charge_id, kind, count(*) AS times FROM charge_timeline
          WHERE starts_with(kind, 'status.') GROUP BY charge_id, kind) t
    LEFT JOIN (SELECT object, type, count(*) AS events FROM events GROUP BY object, type) e
        ON e.object = 'charge:' || t.charge_id AND e.type = 'charge.' || substr(t.kind, 8)
    WHERE t.times > coalesce(e.events, 0)
    ORDER BY t.charge_id, t.kind LIMIT 20";

pub(super) const PAID_TOLD: &str = "
    SELECT format('%s: status %s, %s events charge.paid', coalesce(c.object, e.object),
                  coalesce(c.status, 'unknown'), coalesce(e.events, 0))
    FROM (SELECT 'charge:' || id AS object, status FROM charges) c
    FULL JOIN (SELECT object, count(*) AS events FROM events WHERE type = 'charge.paid'
               GROUP BY object) e
        ON e.object = c.object
    WHERE coalesce(e.events, 0) <> CASE WHEN c.status = 'paid' THEN 1 ELSE 0 END
    ORDER BY 1 LIMIT 20";

pub(super) const EVENTS_ARE_GAPLESS: &str = "
    SELECT format('%s: %s events from %s to %s', object, count(*), min(sequence), max(sequence))
    FROM events GROUP BY object HAVING min(sequence) <> 1 OR max(sequence) <> count(*)
    ORDER BY object LIMIT 20";

pub(super) const DELIVERIES_HAVE_EVENTS: &str = "
    SELECT format('delivery %s: event %s', d.id, d.event_id)
    FROM deliveries d LEFT JOIN events e ON e.id = d.event_id
    WHERE e.id IS NULL OR e.object <> d.object OR e.merchant_id <> d.merchant_id
    ORDER BY d.id LIMIT 20";
