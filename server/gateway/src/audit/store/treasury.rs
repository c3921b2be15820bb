//! Questions about accounts that pay: their numbers, what was planned with them, and what came of it.

/// A gap would keep every payment behind it waiting for ever.
pub(super) const NUMBERS_ARE_GAPLESS: &str = "
    SELECT format('%s on chain %s: numbers %s to %s were given out, and %s of them are known (%s to %s)',
                  t.address, t.chain_id, t.first_nonce, t.next_nonce - 1, coalesce(p.known, 0), p.least, p.most)
    FROM treasuries t
    LEFT JOIN (SELECT chain_id, address, count(*) AS known, min(nonce) AS least, max(nonce) AS most
               FROM treasury_payments WHERE outcome IS DISTINCT FROM 'released'
               GROUP BY chain_id, address) p
        ON p.chain_id = t.chain_id AND p.address = t.address
    WHERE coalesce(p.known, 0) <> t.next_nonce - t.first_nonce
       OR p.least <> t.first_nonce OR p.most <> t.next_nonce - 1
    ORDER BY 1 LIMIT 20";

/// Of all with one number one is in the chain, and it is the one whose cost is booked.
pub(super) const ONE_IN_THE_CHAIN: &str = "
    SELECT format('payment %s (number %s): %s of its transactions are in the chain', p.id, p.nonce, count(x.id))
    FROM treasury_payments p
    LEFT JOIN treasury_txs x ON x.payment_id = p.id AND x.state = 'confirmed'
    GROUP BY p.id, p.nonce, p.confirmed_tx_id
    HAVING count(x.id) <> CASE WHEN p.confirmed_tx_id IS NULL THEN 0 ELSE 1 END
        OR max(x.id) IS DISTINCT FROM p.confirmed_tx_id
    ORDER BY p.id LIMIT 20";

/// The same receiver, amount, network and number, whatever the fee; the amount in call data is compared as
/// far as it can be written as one number.
pub(super) const PLANS_AGREE: &str = "
    SELECT format('payment %s: transaction %s is %s', p.id, x.id, x.plan)
    FROM treasury_txs x
    JOIN treasury_payments p ON p.id = x.payment_id
    WHERE (x.plan->>'nonce')::bigint <> p.nonce
       OR (x.plan->>'chain_id')::bigint <> p.chain_id
       OR (x.plan->>'data' = '0x' AND ((x.plan->>'value')::numeric <> p.raw_amount
                                       OR x.plan->>'to' <> p.to_address))
       OR (x.plan->>'data' <> '0x' AND (
            (x.plan->>'value')::numeric <> 0
            OR left(x.plan->>'data', 74) <> '0xa9059cbb' || lpad(lower(substr(p.to_address, 3)), 64, '0')
            OR (p.raw_amount < 9e18
                AND substr(x.plan->>'data', 75) <> lpad(to_hex(p.raw_amount::bigint), 64, '0'))))
    ORDER BY x.id LIMIT 20";

/// Paid by the transaction that is deep in the chain, to the last unit, and by nothing else; what failed or
/// lost its number settles nothing but by a person. One that paid, left the chain and came back failed after it
/// was settled has called a person, and does so until it pays.
pub(super) const WITHDRAWALS_PAID: &str = "
    SELECT format('operation:%s: state %s, %s %s to %s, paid by %s; its payment %s is %s: %s base units to %s by %s',
                  w.operation_id, w.state, w.amount, c.code, w.address, coalesce(w.txid, 'nothing'), p.id,
                  coalesce(p.outcome, 'open'), p.raw_amount, p.to_address, coalesce(x.txid, 'nothing'))
    FROM treasury_payments p
    JOIN withdrawals w ON w.operation_id = p.operation_id
    JOIN operations o ON o.id = w.operation_id
    JOIN currencies c ON c.id = p.coin_id
    LEFT JOIN treasury_txs x ON x.id = p.confirmed_tx_id
    WHERE p.outcome IS DISTINCT FROM 'released' AND (w.coin_id <> p.coin_id
       OR w.address <> p.to_address
       OR w.amount <> p.raw_amount * power(10::numeric, c.ledger_scale - CASE c.code WHEN 'USDT' THEN 6 ELSE 18 END)
       OR (p.outcome = 'paid' AND w.state NOT IN ('settled', 'void'))
       OR (w.state = 'settled' AND w.ended_by IS NULL
           AND NOT (o.needs_attention AND coalesce(p.outcome IN ('failed', 'unclear'), false))
           AND (p.outcome IS DISTINCT FROM 'paid' OR w.txid IS DISTINCT FROM x.txid)))
    ORDER BY w.operation_id LIMIT 20";

/// A number is given back only when nobody can have a signature with it, and is nobody's or another
/// payment's afterwards.
pub(super) const RELEASED_UNSIGNED: &str = "
    SELECT format('payment %s gave number %s back, and its transaction %s is %s', p.id, p.nonce, x.id, x.state)
    FROM treasury_payments p
    JOIN treasury_txs x ON x.payment_id = p.id
    WHERE p.outcome = 'released'
      AND (x.state <> 'dropped' OR x.raw IS NOT NULL OR x.downloaded_at IS NOT NULL OR x.unheard)
    ORDER BY x.id LIMIT 20";

/// What is no withdrawal stays ours: deposits go to an account that pays, gas from there to a deposit.
pub(super) const MOVES_STAY_OURS: &str = "
    SELECT format('payment %s (%s) is from %s to %s', p.id, p.purpose, p.address, p.to_address)
    FROM treasury_payments p
    WHERE p.purpose IN ('sweep', 'gas')
      AND (NOT EXISTS (SELECT FROM chain_addresses a WHERE a.address = p.address
                       AND a.branch = CASE p.purpose WHEN 'sweep' THEN 0 ELSE 1 END)
           OR NOT EXISTS (SELECT FROM chain_addresses a WHERE a.address = p.to_address
                          AND a.branch = CASE p.purpose WHEN 'sweep' THEN 1 ELSE 0 END))
    ORDER BY p.id LIMIT 20";

/// What comes from an account of ours is nobody's money a second time.
pub(super) const MOVES_CREDIT_NOBODY: &str = "
    SELECT format('payment %s by %s is also %s', p.id, x.txid, c.what)
    FROM treasury_payments p
    JOIN treasury_txs x ON x.payment_id = p.id
    JOIN (SELECT txid, 'operation:' || operation_id AS what FROM deposits
          UNION ALL SELECT txid, 'receipt:' || id FROM receipts) c ON c.txid = x.txid
    WHERE p.purpose IN ('sweep', 'gas')
    ORDER BY p.id LIMIT 20";
