//! Questions about charges and receipts, and whether the books say the same.

pub(super) const PAID_ONCE: &str = "
    SELECT format('%s: status %s, %s entries that pay it', coalesce(c.object, e.subject),
                  coalesce(c.status, 'unknown'), coalesce(e.entries, 0))
    FROM (SELECT 'charge:' || id AS object, merchant_id, status FROM charges) c
    FULL JOIN (SELECT subject, merchant_id, count(*) AS entries FROM journal_entries
               WHERE kind = 'charge_paid' GROUP BY subject, merchant_id) e
        ON e.subject = c.object AND e.merchant_id = c.merchant_id
    WHERE coalesce(e.entries, 0) <> CASE WHEN c.status = 'paid' THEN 1 ELSE 0 END
    ORDER BY 1 LIMIT 20";

pub(super) const CREDITS_MATCH: &str = "
    SELECT format('charge:%s: credited %s, its wallet gained %s', c.id, c.credited, g.total)
    FROM charges c
    LEFT JOIN (SELECT e.subject, a.merchant_id, a.currency_id, a.user_id, sum(l.amount) AS total
               FROM journal_entries e
               JOIN lines l ON l.entry_id = e.id
               JOIN accounts a ON a.id = l.account_id AND a.kind = 'wallet'
               WHERE e.kind = 'charge_paid'
               GROUP BY e.subject, a.merchant_id, a.currency_id, a.user_id) g
        ON g.subject = 'charge:' || c.id AND g.merchant_id = c.merchant_id
        AND g.currency_id = c.currency_id AND g.user_id = c.wallet_user_id
    WHERE (c.status = 'paid' OR c.credited IS NOT NULL) AND g.total IS DISTINCT FROM c.credited
    ORDER BY c.id LIMIT 20";

pub(super) const FEES_MATCH: &str = "
    SELECT format('charge:%s: fee %s, taken %s', c.id, c.fee, coalesce(f.total, 0))
    FROM charges c
    LEFT JOIN (SELECT e.subject, a.currency_id, sum(p.amount) AS total
               FROM journal_entries e
               JOIN postings p ON p.entry_id = e.id
               JOIN accounts a ON a.id = p.credit_account AND a.kind = 'fees' AND a.merchant_id = 0
               WHERE e.kind = 'charge_paid'
               GROUP BY e.subject, a.currency_id) f
        ON f.subject = 'charge:' || c.id AND f.currency_id = c.currency_id
    WHERE (c.status = 'paid' OR c.fee IS NOT NULL) AND coalesce(f.total, 0) IS DISTINCT FROM c.fee
    ORDER BY c.id LIMIT 20";

pub(super) const RECEIPTS_BOOKED: &str = "
    SELECT format('%s: state %s, %s bookings, booked %s times and back %s times',
                  coalesce(r.object, b.object), coalesce(r.state, 'unknown'), r.bookings,
                  coalesce(b.finals, 0), coalesce(b.reversals, 0))
    FROM (SELECT 'receipt:' || id AS object, state, bookings FROM receipts) r
    FULL JOIN (SELECT split_part(dedupe, '/', 1) AS object,
                   count(*) FILTER (WHERE kind = 'receipt_final') AS finals,
                   count(*) FILTER (WHERE kind = 'receipt_reversed') AS reversals
               FROM journal_entries WHERE kind IN ('receipt_final', 'receipt_reversed')
               GROUP BY 1) b
        ON b.object = r.object
    WHERE r.object IS NULL OR r.bookings <> coalesce(b.finals, 0)
       OR coalesce(b.finals, 0) - coalesce(b.reversals, 0)
          <> CASE WHEN r.state = 'final' THEN 1 ELSE 0 END
    ORDER BY 1 LIMIT 20";

pub(super) const BOOKED_AMOUNTS_MATCH: &str = "
    SELECT format('receipt:%s of %s in currency %s: booked as %s in currency %s',
                  r.id, r.amount, r.coin_id, p.amount, p.currency_id)
    FROM journal_entries e
    JOIN postings p ON p.entry_id = e.id
    JOIN receipts r ON 'receipt:' || r.id = split_part(e.dedupe, '/', 1)
    JOIN charges c ON c.id = r.charge_id
    WHERE e.kind IN ('receipt_final', 'receipt_reversed')
      AND (p.amount <> r.amount OR p.currency_id <> r.coin_id
           OR e.subject <> 'charge:' || c.id OR e.merchant_id <> c.merchant_id)
    ORDER BY r.id LIMIT 20";

pub(super) const SUSPENSE_EXPLAINED: &str = "
    SELECT format('merchant %s, currency %s: suspense %s, explained %s',
                  merchant_id, currency_id, coalesce(s.posted, 0), coalesce(e.units, 0))
    FROM (SELECT merchant_id, currency_id, posted FROM accounts WHERE kind = 'suspense') s
    FULL JOIN (SELECT merchant_id, currency_id, sum(units) AS units
               FROM (SELECT c.merchant_id, r.coin_id AS currency_id, r.amount AS units
                     FROM receipts r JOIN charges c ON c.id = r.charge_id WHERE r.state = 'final'
                     UNION ALL
                     SELECT merchant_id, coin_id, -coin_consumed FROM charges
                     WHERE status = 'paid'
                     UNION ALL
                     SELECT o.merchant_id, d.coin_id, d.amount
                     FROM deposits d JOIN operations o ON o.id = d.operation_id
                     WHERE d.disposition IN ('suspended', 'refunded') AND d.state = 'final'
                     UNION ALL
                     SELECT o.merchant_id, d.coin_id, -d.amount
                     FROM deposits d JOIN operations o ON o.id = d.operation_id
                     WHERE d.disposition = 'credited' AND d.state = 'reversed'
                     UNION ALL
                     SELECT o.merchant_id, w.coin_id, -w.amount
                     FROM withdrawals w JOIN operations o ON o.id = w.operation_id
                     WHERE o.kind = 'refund' AND w.state = 'settled') moved
               GROUP BY merchant_id, currency_id) e
        USING (merchant_id, currency_id)
    WHERE coalesce(s.posted, 0) <> coalesce(e.units, 0)
    ORDER BY merchant_id, currency_id LIMIT 20";

/// Coins of the quote that came while its clock ran, in all and final, weighed against what is due
/// less the tolerance: the rule of `domain::charge`, which a covered charge cannot wait under.
pub(super) const STATES_AGREE: &str = "
    SELECT format('charge:%s: %s with %s of %s due, %s of it final', c.id, c.status,
                  coalesce(r.live, 0), c.coin_due, coalesce(r.final, 0))
    FROM charges c
    LEFT JOIN quotes q ON q.id = c.quote_id
    LEFT JOIN LATERAL (
        SELECT sum(t.amount) AS live, sum(t.amount) FILTER (WHERE t.state = 'final') AS final
        FROM receipts t
        WHERE t.charge_id = c.id AND t.coin_id = c.coin_id AND t.state IN ('seen', 'final')
          AND t.first_seen_at < q.release_at) r ON true
    CROSS JOIN LATERAL (
        SELECT coalesce(r.live, 0) > 0
                   AND r.live * c.amount >= c.coin_due * (c.amount - c.tolerance) AS covered,
               coalesce(r.final, 0) > 0
                   AND r.final * c.amount >= c.coin_due * (c.amount - c.tolerance) AS settled) w
    WHERE CASE c.status
              WHEN 'created' THEN c.quote_id IS NOT NULL
              WHEN 'pending' THEN c.quote_id IS NULL OR w.covered
              WHEN 'processing' THEN c.covered_at IS NULL OR NOT w.covered
                  -- Withheld: the house cannot deliver, and says so.
                  OR (w.settled AND NOT c.needs_attention)
              WHEN 'paid' THEN c.coin_consumed IS NULL OR c.credited IS NULL OR c.fee IS NULL
                  OR NOT (w.settled OR c.flags && '{late,manual,reversed}'::text[])
              WHEN 'underpaid' THEN c.quote_id IS NULL
              WHEN 'failed' THEN c.quote_id IS NULL
              ELSE false END
    ORDER BY c.id LIMIT 20";

pub(super) const CLOCKS_AGREE: &str = "
    SELECT format('charge:%s: %s, clock ends %s, expected %s', c.id, c.status, c.clock_ends_at,
                  w.expected)
    FROM charges c
    LEFT JOIN quotes q ON q.id = c.quote_id
    CROSS JOIN LATERAL (
        SELECT CASE c.status WHEN 'created' THEN c.expires_at WHEN 'pending' THEN q.release_at
                   WHEN 'processing' THEN c.covered_at + interval '24 hours' END AS expected) w
    WHERE c.clock_ends_at IS DISTINCT FROM w.expected
      -- What is withheld is tried again sooner.
      AND NOT (c.status = 'processing' AND c.needs_attention AND c.clock_ends_at IS NOT NULL)
    ORDER BY c.id LIMIT 20";

/// The rule of `domain::charge` for what a person has to look at, in the direction that must not
/// fail.
pub(super) const NOTHING_LOST: &str = "
    SELECT format('charge:%s: %s with money nobody is told about', c.id, c.status)
    FROM charges c
    LEFT JOIN (SELECT r.charge_id, r.coin_id, sum(r.amount) AS units
               FROM receipts r WHERE r.state IN ('seen', 'final')
               GROUP BY r.charge_id, r.coin_id) came ON came.charge_id = c.id
    LEFT JOIN (SELECT charge_id, coin_id, sum(amount) AS units FROM refund_claims
               WHERE state IN ('sent', 'confirmed') GROUP BY charge_id, coin_id) back
        ON back.charge_id = c.id AND back.coin_id = came.coin_id
    WHERE NOT c.needs_attention AND c.resolution <> 'credited'
      AND ((c.status = 'paid' AND 'reversed' = ANY(c.flags))
           OR (NOT (c.status IN ('created', 'pending', 'processing')
                    AND came.coin_id IS NOT DISTINCT FROM c.coin_id)
               AND came.units - coalesce(back.units, 0)
                   - CASE WHEN c.status = 'paid' AND came.coin_id = c.coin_id
                          THEN c.coin_consumed ELSE 0 END > 0))
    ORDER BY c.id LIMIT 20";
