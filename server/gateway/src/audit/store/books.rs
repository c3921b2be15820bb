//! Questions about accounts, entries and postings alone.

pub(super) const CURRENCIES_SUM_TO_ZERO: &str = "
    SELECT format('currency %s: the accounts sum to %s', currency_id, sum(posted))
    FROM accounts GROUP BY currency_id HAVING sum(posted) <> 0
    ORDER BY currency_id LIMIT 20";

pub(super) const BALANCES_ARE_SUMS: &str = "
    SELECT format('account %s: balance %s, lines %s', a.id, a.posted, coalesce(l.total, 0))
    FROM accounts a
    LEFT JOIN (SELECT account_id, sum(amount) AS total FROM lines GROUP BY account_id) l
        ON l.account_id = a.id
    WHERE a.posted <> coalesce(l.total, 0)
    ORDER BY a.id LIMIT 20";

pub(super) const VERSIONS_ARE_GAPLESS: &str = "
    SELECT format('account %s: version %s, %s lines, %s numbers from %s to %s', a.id, a.version,
                  coalesce(l.lines, 0), coalesce(l.numbers, 0), l.lowest, l.highest)
    FROM accounts a
    LEFT JOIN (SELECT account_id, count(*) AS lines, count(DISTINCT version) AS numbers,
                   min(version) AS lowest, max(version) AS highest
               FROM lines GROUP BY account_id) l
        ON l.account_id = a.id
    WHERE a.version <> coalesce(l.lines, 0)
       OR l.numbers <> l.lines OR l.lowest <> 1 OR l.highest <> l.lines
    ORDER BY a.id LIMIT 20";

pub(super) const LINES_ARE_CHAINED: &str = "
    SELECT format('account %s, line %s: %s and %s do not make %s',
                  account_id, version, before, amount, balance_after)
    FROM (SELECT account_id, version, amount, balance_after,
              lag(balance_after, 1, 0::numeric)
                  OVER (PARTITION BY account_id ORDER BY version) AS before
          FROM lines) l
    WHERE balance_after <> before + amount
    ORDER BY account_id, version LIMIT 20";

pub(super) const FLOORS_HOLD: &str = "
    SELECT format('account %s: %s available, floor %s', id, posted - held, floor)
    FROM accounts WHERE posted - held < floor OR held < 0
    ORDER BY id LIMIT 20";

pub(super) const HELD_IS_OPEN_HOLDS: &str = "
    SELECT format('account %s: %s held, open holds %s', a.id, a.held, coalesce(h.total, 0))
    FROM accounts a
    LEFT JOIN (SELECT p.debit_account, sum(p.amount) AS total FROM postings p
               WHERE p.movement = 'hold'
                 AND NOT EXISTS (SELECT 1 FROM postings r WHERE r.hold_id = p.id)
               GROUP BY p.debit_account) h
        ON h.debit_account = a.id
    WHERE a.held <> coalesce(h.total, 0)
    ORDER BY a.id LIMIT 20";

/// Only debits change what is held: a hold adds its amount, its resolution takes all of it.
pub(super) const HELD_IS_CHAINED: &str = "
    SELECT format('posting %s: %s held after it, but %s and %s were expected',
                  id, debit_held_after, before, change)
    FROM (SELECT p.id, p.debit_account, p.debit_version, p.debit_held_after,
              lag(p.debit_held_after, 1, 0::numeric)
                  OVER (PARTITION BY p.debit_account ORDER BY p.debit_version) AS before,
              CASE p.movement WHEN 'post' THEN 0 WHEN 'hold' THEN p.amount
                  ELSE -coalesce(h.amount, 0) END AS change
          FROM postings p LEFT JOIN postings h ON h.id = p.hold_id AND h.movement = 'hold') l
    WHERE debit_held_after <> before + change
    ORDER BY debit_account, debit_version LIMIT 20";

pub(super) const HOLDS_RESOLVE_ONCE: &str = "
    SELECT format('hold %s: resolved %s times', hold_id, count(*))
    FROM postings WHERE hold_id IS NOT NULL GROUP BY hold_id HAVING count(*) > 1
    ORDER BY hold_id LIMIT 20";

pub(super) const RESOLUTIONS_FIT: &str = "
    SELECT format('posting %s: %s of %s for hold %s of %s',
                  r.id, r.movement, r.amount, r.hold_id, h.amount)
    FROM postings r LEFT JOIN postings h ON h.id = r.hold_id AND h.movement = 'hold'
    WHERE r.hold_id IS NOT NULL
      AND (h.id IS NULL OR h.debit_account <> r.debit_account OR r.amount > h.amount
           OR (r.movement = 'void' AND r.amount <> h.amount))
    ORDER BY r.id LIMIT 20";

pub(super) const POSTINGS_HAVE_ENTRIES: &str = "
    SELECT format('posting %s: entry %s does not exist', p.id, p.entry_id)
    FROM postings p LEFT JOIN journal_entries e ON e.id = p.entry_id
    WHERE e.id IS NULL
    ORDER BY p.id LIMIT 20";

/// No index says so for what is no hold.
pub(super) const POSTINGS_HAVE_IDS: &str = "
    SELECT format('posting %s: is there %s times', id, count(*))
    FROM postings GROUP BY id HAVING count(*) > 1
    ORDER BY id LIMIT 20";

pub(super) const ENTRIES_HAVE_LEGS: &str = "
    SELECT format('entry %s: %s legs from %s to %s', e.id, coalesce(p.legs, 0), p.lowest, p.highest)
    FROM journal_entries e
    LEFT JOIN (SELECT entry_id, count(*) AS legs, min(leg) AS lowest, max(leg) AS highest
               FROM postings GROUP BY entry_id) p
        ON p.entry_id = e.id
    WHERE p.legs IS NULL OR p.lowest <> 0 OR p.highest <> p.legs - 1
    ORDER BY e.id LIMIT 20";

pub(super) const CURRENCIES_MATCH: &str = "
    SELECT format('posting %s in currency %s: from account %s in %s to account %s in %s', p.id,
                  p.currency_id, p.debit_account, d.currency_id, p.credit_account, c.currency_id)
    FROM postings p
    LEFT JOIN accounts d ON d.id = p.debit_account
    LEFT JOIN accounts c ON c.id = p.credit_account
    WHERE d.currency_id IS DISTINCT FROM p.currency_id
       OR c.currency_id IS DISTINCT FROM p.currency_id
    ORDER BY p.id LIMIT 20";
