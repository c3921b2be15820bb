//! Questions about payouts: what their transactions spend, pay and cost, and whether the books say the
//! same.

/// To the satoshi: inputs are payments, change and fee, and the payments are those of the withdrawals.
pub(super) const TRANSACTIONS_ADD_UP: &str = "
    SELECT format('payout:%s: transaction %s spends %s, pays %s for withdrawals of %s, gives %s back and costs %s',
                  p.id, x.txid, s.total, t.paid, w.total, t.change, x.fee)
    FROM payout_txs x
    JOIN payouts p ON p.id = x.payout_id
    JOIN currencies c ON c.id = p.coin_id
    CROSS JOIN LATERAL (
        SELECT coalesce(sum((i->>'satoshi')::numeric), 0) AS total
        FROM jsonb_array_elements(x.plan->'inputs') i) s
    CROSS JOIN LATERAL (
        SELECT coalesce(sum((o->>'satoshi')::numeric) FILTER (WHERE o->'purpose' ? 'payment'), 0) AS paid,
            coalesce(sum((o->>'satoshi')::numeric) FILTER (WHERE o->'purpose' ? 'change'), 0) AS change
        FROM jsonb_array_elements(x.plan->'outputs') o) t
    CROSS JOIN LATERAL (
        SELECT coalesce(sum(amount), 0) AS total FROM withdrawals WHERE payout_id = p.id) w
    WHERE s.total <> t.paid + t.change + x.fee
       -- Those of a draft that was dropped ride elsewhere.
       OR (x.state <> 'dropped' AND t.paid * power(10::numeric, c.ledger_scale - 8) <> w.total)
       OR (x.plan->>'fee')::numeric <> x.fee
    ORDER BY x.id LIMIT 20";

/// What the house paid to miners is what the transactions in the chain cost.
pub(super) const FEES_BOOKED: &str = "
    SELECT format('%s: its transaction in the chain cost %s, booked are %s',
                  coalesce(f.subject, b.subject), coalesce(f.fee, 0), coalesce(b.total, 0))
    FROM (SELECT 'payout:' || p.id AS subject, x.fee * power(10::numeric, c.ledger_scale - 8) AS fee
          FROM payouts p
          JOIN payout_txs x ON x.id = p.confirmed_tx_id
          JOIN currencies c ON c.id = p.coin_id
          UNION ALL
          SELECT 'treasury:' || p.id, ceil(x.cost * power(10::numeric, c.ledger_scale - 18))
          FROM treasury_payments p
          JOIN treasury_txs x ON x.id = p.confirmed_tx_id
          JOIN currencies c ON c.code = 'ETH') f
    FULL JOIN (SELECT e.subject, sum(CASE e.kind WHEN 'network_fee' THEN l.amount ELSE -l.amount END) AS total
               FROM journal_entries e JOIN postings l ON l.entry_id = e.id
               WHERE e.kind IN ('network_fee', 'network_fee_reversed')
               GROUP BY e.subject) b
        ON b.subject = f.subject
    WHERE coalesce(f.fee, 0) <> coalesce(b.total, 0)
    ORDER BY 1 LIMIT 20";

/// Whoever rides in a payout that is in the chain was paid by it, and nobody else.
pub(super) const RIDERS_PAID: &str = "
    SELECT format('operation:%s: state %s, paid by %s, and payout %s is in the chain with %s',
                  w.operation_id, w.state, coalesce(w.txid, 'nothing'), p.id, x.txid)
    FROM payouts p
    JOIN payout_txs x ON x.id = p.confirmed_tx_id
    JOIN withdrawals w ON w.payout_id = p.id
    WHERE w.state NOT IN ('settled', 'void') OR w.txid IS DISTINCT FROM x.txid
    ORDER BY w.operation_id LIMIT 20";

/// Nobody else can plan with a coin that a transaction of ours may spend.
pub(super) const COINS_LOCKED: &str = "
    SELECT format('payout:%s: transaction %s spends %s, which is locked for %s',
                  x.payout_id, x.txid, i->>'outpoint', coalesce(l.payout_id::text, 'nobody'))
    FROM payout_txs x
    CROSS JOIN LATERAL jsonb_array_elements(x.plan->'inputs') i
    LEFT JOIN payout_coins l ON l.chain = x.chain
        AND l.prev_txid || ':' || l.prev_vout = i->>'outpoint'
    WHERE x.state NOT IN ('replaced', 'dropped') AND l.payout_id IS DISTINCT FROM x.payout_id
    ORDER BY x.id LIMIT 20";

/// Change of a transaction in the chain is one of our outputs, with its amount.
pub(super) const CHANGE_IS_OURS: &str = "
    SELECT format('payout:%s: the change of %s should be %s, and is %s', x.payout_id, x.txid,
                  o.value->>'satoshi', coalesce(k.raw::text, 'not known'))
    FROM payouts p
    JOIN payout_txs x ON x.id = p.confirmed_tx_id
    JOIN chain_txs t ON t.chain = x.chain AND t.txid = x.txid AND t.status = 'confirmed'
    CROSS JOIN LATERAL jsonb_array_elements(x.plan->'outputs') WITH ORDINALITY o (value, place)
    LEFT JOIN chain_outputs k ON k.chain = x.chain AND k.txid = x.txid AND k.vout = o.place - 1
    WHERE o.value->'purpose' ? 'change' AND k.raw IS DISTINCT FROM (o.value->>'satoshi')::numeric
    ORDER BY x.id LIMIT 20";

/// Coins are free when nothing of their payout can be mined any more, and nobody waits in a payout of
/// which nothing will ever be sent. Nor do two payouts that are under way spend one coin: the locks are those
/// of all transactions that may be sent.
pub(super) const LOCKS_END: &str = "
    SELECT format('payout:%s: it has ended, and %s:%s is locked for it', p.id, l.prev_txid, l.prev_vout)
    FROM payouts p JOIN payout_coins l ON l.payout_id = p.id
    WHERE p.ended_at IS NOT NULL
       OR NOT EXISTS (SELECT FROM payout_txs x WHERE x.payout_id = p.id AND x.state <> 'dropped')
    UNION ALL
    SELECT format('payout:%s: it has ended, and withdrawal %s (%s) waits in it', p.id, w.operation_id, w.state)
    FROM payouts p JOIN withdrawals w ON w.payout_id = p.id
    WHERE p.ended_at IS NOT NULL AND w.state IN ('pending', 'queued', 'built', 'broadcast')
    UNION ALL
    SELECT format('payouts %s and %s: both may spend %s', a.payout_id, b.payout_id, i->>'outpoint')
    FROM payout_txs a
    JOIN payouts p ON p.id = a.payout_id AND p.confirmed_tx_id IS NULL AND p.ended_at IS NULL
    CROSS JOIN LATERAL jsonb_array_elements(a.plan->'inputs') i
    JOIN payout_txs b ON b.chain = a.chain AND b.payout_id > a.payout_id AND b.state <> 'dropped'
        AND b.plan->'inputs' @> jsonb_build_array(jsonb_build_object('outpoint', i->>'outpoint'))
    JOIN payouts q ON q.id = b.payout_id AND q.confirmed_tx_id IS NULL AND q.ended_at IS NULL
    WHERE a.state <> 'dropped'
    ORDER BY 1 LIMIT 20";
