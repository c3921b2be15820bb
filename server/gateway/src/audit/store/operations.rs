//! Questions about deposits, withdrawals, exchanges and promises, and whether the books say the same.

pub(super) const DEPOSITS_BOOKED: &str = "
    SELECT format('%s: state %s, %s bookings, booked %s times and back %s times',
                  coalesce(d.object, b.object), coalesce(d.state, 'unknown'), d.bookings,
                  coalesce(b.finals, 0), coalesce(b.reversals, 0))
    FROM (SELECT 'deposit:' || operation_id AS object, state, bookings FROM deposits) d
    FULL JOIN (SELECT split_part(dedupe, '/', 1) AS object,
                   count(*) FILTER (WHERE kind <> 'deposit_reversed') AS finals,
                   count(*) FILTER (WHERE kind = 'deposit_reversed') AS reversals
               FROM journal_entries
               WHERE kind IN ('deposit_final', 'deposit_converted', 'deposit_suspended',
                              'deposit_restored', 'deposit_reversed')
               GROUP BY 1) b
        ON b.object = d.object
    WHERE d.object IS NULL OR d.bookings <> coalesce(b.finals, 0)
       OR coalesce(b.finals, 0) - coalesce(b.reversals, 0)
          <> CASE WHEN d.state = 'final' THEN 1 ELSE 0 END
    ORDER BY 1 LIMIT 20";

pub(super) const CREDITED_DEPOSITS_PAID: &str = "
    SELECT format('operation:%s: gained %s, its wallet gained %s', o.id, o.received_net, g.total)
    FROM operations o
    JOIN deposits d ON d.operation_id = o.id
    LEFT JOIN (SELECT e.subject, a.merchant_id, a.currency_id, sum(l.amount) AS total
               FROM journal_entries e
               JOIN lines l ON l.entry_id = e.id
               JOIN accounts a ON a.id = l.account_id AND a.kind = 'wallet'
               WHERE e.kind IN ('deposit_final', 'deposit_converted', 'deposit_released')
               GROUP BY e.subject, a.merchant_id, a.currency_id) g
        ON g.subject = 'operation:' || o.id AND g.merchant_id = o.merchant_id
        AND g.currency_id = o.received_currency_id
    WHERE CASE WHEN d.disposition = 'credited' THEN g.total IS DISTINCT FROM o.received_net
               ELSE g.total IS NOT NULL END
    ORDER BY o.id LIMIT 20";

/// An open withdrawal holds, a settled or called-off one has ended its holds in that way.
pub(super) const WITHDRAWALS_HOLD: &str = "
    SELECT format('operation:%s: state %s, its hold of %s was ended by %s',
                  w.operation_id, w.state, h.amount, coalesce(r.movement, 'nothing'))
    FROM withdrawals w
    LEFT JOIN postings h ON h.id = w.hold_id AND h.movement = 'hold'
    LEFT JOIN postings r ON r.hold_id = w.hold_id
    WHERE h.amount IS DISTINCT FROM w.held
       OR coalesce(r.movement, 'open') <> CASE w.state WHEN 'settled' THEN 'settle'
                                                       WHEN 'void' THEN 'void' ELSE 'open' END
    ORDER BY w.operation_id LIMIT 20";

pub(super) const LIQUIDITY_HELD: &str = "
    SELECT format('operation:%s: state %s, %s held of our liquidity, ended by %s',
                  w.operation_id, w.state, h.amount, coalesce(r.movement, 'nothing'))
    FROM withdrawals w
    LEFT JOIN postings h ON h.id = w.liquidity_hold_id AND h.movement = 'hold'
    LEFT JOIN postings r ON r.hold_id = w.liquidity_hold_id
    WHERE w.liquidity_hold_id IS NOT NULL
      AND (h.amount IS DISTINCT FROM w.liquidity_held
           OR coalesce(r.movement, 'open') <> CASE w.state WHEN 'settled' THEN 'settle'
                                                           WHEN 'void' THEN 'void' ELSE 'open' END)
    ORDER BY w.operation_id LIMIT 20";

/// What left the chain holdings for a withdrawal is what its receiver was promised.
pub(super) const WITHDRAWALS_PAY: &str = "
    SELECT format('operation:%s: state %s, %s promised, %s left', w.operation_id, w.state,
                  w.amount, coalesce(p.total, 0))
    FROM withdrawals w
    LEFT JOIN (SELECT e.subject, sum(p.amount) AS total
               FROM journal_entries e
               JOIN postings p ON p.entry_id = e.id
               JOIN accounts a ON a.id = p.credit_account AND a.kind = 'chain_holdings'
               WHERE e.kind IN ('withdrawal_settled', 'refund_settled')
               GROUP BY e.subject) p
        ON p.subject = 'operation:' || w.operation_id
    WHERE coalesce(p.total, 0) <> CASE w.state WHEN 'settled' THEN w.amount ELSE 0 END
    ORDER BY w.operation_id LIMIT 20";

pub(super) const PROMISES_HELD: &str = "
    SELECT format('futures:%s: state %s, its hold of %s was ended by %s',
                  f.id, f.state, h.amount, coalesce(r.movement, 'nothing'))
    FROM futures f
    LEFT JOIN postings h ON h.id = f.hold_id AND h.movement = 'hold'
    LEFT JOIN postings r ON r.hold_id = f.hold_id
    WHERE h.amount IS DISTINCT FROM f.receiver_amount
       OR coalesce(r.movement, 'open') <> CASE f.state WHEN 'settled' THEN 'settle'
                                                       WHEN 'void' THEN 'void' ELSE 'open' END
    ORDER BY f.id LIMIT 20";

pub(super) const EXCHANGES_BOOKED: &str = "
    SELECT format('operation:%s: %s exchange, %s entries', o.id, o.status, count(e.id))
    FROM operations o
    LEFT JOIN journal_entries e ON e.kind = 'exchange' AND e.dedupe = 'operation:' || o.id
    WHERE o.kind = 'exchange'
    GROUP BY o.id, o.status
    HAVING count(e.id) <> CASE o.status WHEN 'confirmed' THEN 1 ELSE 0 END
    ORDER BY o.id LIMIT 20";

/// Nobody exchanged at a price that was not theirs at that moment.
pub(super) const QUOTES_STOOD: &str = "
    SELECT format('operation:%s: made at %s at a quote of merchant %s that stood from %s to %s',
                  o.id, o.created_at, q.merchant_id, q.fixed_at, q.release_at)
    FROM quote_uses u
    JOIN operations o ON o.id = u.operation_id
    JOIN quotes q ON q.id = u.quote_id
    WHERE o.created_at NOT BETWEEN q.fixed_at AND q.release_at OR o.merchant_id <> q.merchant_id
       OR o.quote_id IS DISTINCT FROM q.id OR o.price IS DISTINCT FROM q.price
    ORDER BY o.id LIMIT 20";

/// The last word about an operation is the one its row says.
pub(super) const STATUSES_TOLD: &str = "
    SELECT format('operation:%s: %s, last told %s', o.id, o.status, coalesce(e.type, 'nothing'))
    FROM operations o
    LEFT JOIN LATERAL (SELECT type FROM events WHERE object = 'operation:' || o.id
                       ORDER BY sequence DESC LIMIT 1) e ON true
    WHERE o.kind <> 'refund'
      AND (e.type IS NULL
           OR CASE o.status WHEN 'not_confirmed' THEN e.type NOT IN ('deposit.not_confirmed', 'deposit.suspended')
                            ELSE split_part(e.type, '.', 2) <> o.status END)
    ORDER BY o.id LIMIT 20";
