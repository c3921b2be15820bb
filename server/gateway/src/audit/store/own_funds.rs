//! The question about the house's own coins.

/// Each output is booked as its row says, with its amount on the chain, and is nobody's payment besides.
pub(super) const BOOKED_ONCE: &str = "
    SELECT format('%s: should be booked with %s, and is with %s',
                  coalesce(f.subject, b.subject), coalesce(f.amount, 0), coalesce(b.total, 0))
    FROM (SELECT 'own_funds:' || chain || ':' || txid || ':' || vout AS subject,
              CASE state WHEN 'booked' THEN amount ELSE 0 END AS amount
          FROM own_funds) f
    FULL JOIN (SELECT e.subject, sum(CASE e.kind WHEN 'own_funds' THEN l.amount ELSE -l.amount END) AS total
               FROM journal_entries e JOIN postings l ON l.entry_id = e.id
               WHERE e.kind IN ('own_funds', 'own_funds_reversed')
               GROUP BY e.subject) b
        ON b.subject = f.subject
    WHERE coalesce(f.amount, 0) <> coalesce(b.total, 0)
    UNION ALL
    SELECT format('own_funds:%s:%s:%s: is credited to a payer, too', f.chain, f.txid, f.vout)
    FROM own_funds f
    WHERE EXISTS (SELECT FROM receipts r
                  WHERE r.coin_id = f.coin_id AND r.txid = f.txid AND r.vout = f.vout)
       OR EXISTS (SELECT FROM deposits d
                  WHERE d.coin_id = f.coin_id AND d.txid = f.txid AND d.vout = f.vout)
    ORDER BY 1 LIMIT 20";
