//! The questions about the house's own coins.

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

/// Each transaction that took coins out is booked as its row says, coin by coin, and is no payment of ours besides.
pub(super) const OUT_BOOKED_ONCE: &str = "
    WITH parts AS (
        SELECT 'own_funds_out:' || chain || ':' || txid AS subject, state, coin_id AS currency_id, amount
        FROM own_funds_out
        UNION ALL
        -- Gas is paid with ether, whatever it moves.
        SELECT 'own_funds_out:' || f.chain || ':' || f.txid, f.state, c.id, f.gas
        FROM own_funds_out f JOIN currencies c ON c.code = 'ETH'
        WHERE f.gas IS NOT NULL),
    expected AS (
        SELECT subject, currency_id, sum(CASE state WHEN 'booked' THEN amount ELSE 0 END) AS amount
        FROM parts GROUP BY subject, currency_id),
    found AS (
        SELECT e.subject, l.currency_id,
            sum(CASE e.kind WHEN 'own_funds_out' THEN l.amount ELSE -l.amount END) AS total
        FROM journal_entries e JOIN postings l ON l.entry_id = e.id
        WHERE e.kind IN ('own_funds_out', 'own_funds_out_reversed')
        GROUP BY e.subject, l.currency_id)
    SELECT format('%s: %s should be booked with %s, and is with %s', coalesce(x.subject, b.subject), c.code,
                  coalesce(x.amount, 0), coalesce(b.total, 0))
    FROM expected x
    FULL JOIN found b ON b.subject = x.subject AND b.currency_id = x.currency_id
    JOIN currencies c ON c.id = coalesce(x.currency_id, b.currency_id)
    WHERE coalesce(x.amount, 0) <> coalesce(b.total, 0)
    UNION ALL
    SELECT format('own_funds_out:%s:%s: is a payment of ours, too', f.chain, f.txid)
    FROM own_funds_out f
    WHERE f.state = 'booked'
      AND (EXISTS (SELECT FROM withdrawals w WHERE w.coin_id = f.coin_id AND w.txid = f.txid)
           OR EXISTS (SELECT FROM payout_txs x WHERE x.chain = f.chain AND x.txid = f.txid)
           OR EXISTS (SELECT FROM treasury_txs x WHERE x.txid = f.txid))
    ORDER BY 1 LIMIT 20";
