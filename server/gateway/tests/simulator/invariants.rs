//! What must hold: after every step the sums, what was told, and every charge's state (`rule.rs`); everything
//! the audit knows now and then, and at the end that every event got out.

use domain::charge::{ReceiptState, Status};
use gateway::Gateway;
use gateway::charges::ChargeView;
use sqlx::PgPool;

use crate::world::Run;

/// One row for each thing that is wrong.
const SUMS: &str = "
WITH lines AS (
    SELECT debit_account AS account,
           CASE WHEN movement IN ('post', 'settle') THEN -amount ELSE 0 END AS posted
    FROM postings
    UNION ALL
    SELECT credit_account, amount FROM postings WHERE movement IN ('post', 'settle')),
tallies AS (SELECT account, sum(posted) AS posted, count(*) AS lines FROM lines GROUP BY account),
open_holds AS (
    SELECT debit_account AS account, sum(amount) AS held FROM postings h
    WHERE movement = 'hold' AND NOT EXISTS (SELECT 1 FROM postings r WHERE r.hold_id = h.id)
    GROUP BY debit_account)
SELECT format('currency %s sums up to %s', currency_id, sum(posted))
FROM accounts GROUP BY currency_id HAVING sum(posted) <> 0
UNION ALL
SELECT format('account %s: posted %s, its postings say %s', a.id, a.posted, t.posted)
FROM accounts a LEFT JOIN tallies t ON t.account = a.id
WHERE a.posted <> coalesce(t.posted, 0) OR a.version <> coalesce(t.lines, 0)
UNION ALL
SELECT format('account %s: held %s, open holds are %s', a.id, a.held, h.held)
FROM accounts a LEFT JOIN open_holds h ON h.account = a.id WHERE a.held <> coalesce(h.held, 0)
UNION ALL
SELECT format('account %s is below its floor', id) FROM accounts WHERE posted - held < floor
UNION ALL
SELECT format('hold %s ended %s times', hold_id, count(*)) FROM postings
WHERE hold_id IS NOT NULL GROUP BY hold_id HAVING count(*) > 1
UNION ALL
SELECT format('events of %s have gaps', object) FROM events
GROUP BY object HAVING max(sequence) - min(sequence) + 1 <> count(*)";

const UNDELIVERED: &str = "
SELECT format('delivery %s is %s', id, state) FROM deliveries WHERE state <> 'delivered'";

/// An event is written with its deliveries or not at all, and says what became of its object.
const UNTOLD: &str = "
SELECT format('event %s about %s goes nowhere', e.id, e.object) FROM events e
WHERE e.object LIKE 'operation:%' AND e.merchant_id = $1
  AND NOT EXISTS (SELECT 1 FROM deliveries d WHERE d.event_id = e.id)
UNION ALL
SELECT format('event %s does not go where its order says', e.id)
FROM events e JOIN charges c ON e.object = 'charge:' || c.id
WHERE e.type = 'charge.paid' AND c.webhook_url IS NOT NULL
  AND NOT EXISTS (SELECT 1 FROM deliveries d WHERE d.event_id = e.id AND d.url = c.webhook_url)
UNION ALL
SELECT format('%s is %s, and told as %s', c.public_id, c.status, told.type)
FROM charges c CROSS JOIN LATERAL (
    SELECT e.type FROM events e
    WHERE e.object = 'charge:' || c.id
      AND e.type IN ('charge.created', 'charge.pending', 'charge.processing', 'charge.paid',
                     'charge.expired', 'charge.underpaid', 'charge.cancelled', 'charge.failed')
    ORDER BY e.sequence DESC LIMIT 1) told
WHERE told.type <> 'charge.' || c.status";

/// An order has a key.
const TWICE: &str = "
SELECT format('%s ordered %s charges', metadata ->> 'reference', count(*)) FROM charges
WHERE metadata ->> 'reference' IS NOT NULL GROUP BY metadata ->> 'reference' HAVING count(*) > 1";

/// Charges some of whose money is on its way back, or was.
const REFUNDED: &str = "
SELECT DISTINCT c.public_id FROM withdrawals w
JOIN refund_claims r ON r.id = w.claim_id JOIN charges c ON c.id = r.charge_id";

impl Run {
    /// Cheap enough for every step.
    pub async fn check_step(&self) -> Result<(), String> {
        check_sums(&self.pool).await?;
        self.check_once().await?;
        self.check_told().await?;
        self.check_rule().await
    }

    /// However often something was asked for, and whoever heard the answer.
    async fn check_once(&self) -> Result<(), String> {
        let wrong: Vec<String> = sqlx::query_scalar(TWICE)
            .fetch_all(&self.pool)
            .await
            .map_err(|error| error.to_string())?;
        none_of(&wrong)
    }

    /// Nothing that happened is told nobody, and nothing counts as told that nobody has heard.
    async fn check_told(&self) -> Result<(), String> {
        let wrong: Vec<String> = sqlx::query_scalar(UNTOLD)
            .bind(self.merchants[0])
            .fetch_all(&self.pool)
            .await
            .map_err(|error| error.to_string())?;
        none_of(&wrong)?;
        let unheard: Vec<String> = self
            .sent("SELECT event_id FROM deliveries WHERE state = 'delivered' ORDER BY id")
            .await?
            .into_iter()
            .filter(|event| !self.receiver.has(event))
            .map(|event| format!("event {event} counts as delivered, and nobody has it"))
            .collect();
        none_of(&unheard)
    }

    /// Ids of events.
    async fn sent(&self, question: &'static str) -> Result<Vec<String>, String> {
        sqlx::query_scalar(question)
            .fetch_all(&self.pool)
            .await
            .map_err(|error| error.to_string())
    }

    /// The whole audit, and every charge by itself.
    pub async fn check_all(&self) -> Result<(), String> {
        check_audit(self.gateway()).await?;
        let refunded: Vec<String> = sqlx::query_scalar(REFUNDED)
            .fetch_all(&self.pool)
            .await
            .map_err(|error| error.to_string())?;
        for (id, merchant) in &self.charges {
            let view = self.gateway().find_charge(*merchant, id).await;
            let view = view.map_err(|error| format!("{id}: {error}"))?;
            is_what_came(&view, refunded.contains(id)).map_err(|what| format!("{id}: {what}"))?;
        }
        check_deadlocks(&self.pool).await
    }

    /// Once everything has settled down: each event that has a receiver was read there.
    pub async fn check_deliveries(&self) -> Result<(), String> {
        let wrong: Vec<String> = sqlx::query_scalar(UNDELIVERED)
            .fetch_all(&self.pool)
            .await
            .map_err(|error| error.to_string())?;
        none_of(&wrong)?;
        let unread: Vec<String> = self
            .sent("SELECT event_id FROM deliveries ORDER BY id")
            .await?
            .into_iter()
            .filter(|event| !self.receiver.has(event))
            .collect();
        none_of(&unread)
    }
}

/// The books add up, and each hold has ended once at most.
pub async fn check_sums(pool: &PgPool) -> Result<(), String> {
    let wrong: Vec<String> = sqlx::query_scalar(SUMS)
        .fetch_all(pool)
        .await
        .map_err(|error| error.to_string())?;
    none_of(&wrong)
}

/// The audit finds nothing.
pub async fn check_audit(gateway: &Gateway) -> Result<(), String> {
    let report = gateway.audit().await;
    let report = report.map_err(|error| format!("the audit: {error}"))?;
    let wrong: Vec<String> = report
        .checks
        .iter()
        .filter(|check| !check.violations.is_empty())
        .map(|check| format!("{}: {}", check.name, check.violations.join(", ")))
        .collect();
    none_of(&wrong)
}

/// Nobody ever waited for somebody who waited for him.
pub async fn check_deadlocks(pool: &PgPool) -> Result<(), String> {
    let deadlocks: i64 = sqlx::query_scalar(
        "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()",
    )
    .fetch_one(pool)
    .await
    .map_err(|error| error.to_string())?;
    if deadlocks == 0 {
        Ok(())
    } else {
        Err(format!("{deadlocks} deadlocks"))
    }
}

pub fn none_of(wrong: &[String]) -> Result<(), String> {
    if wrong.is_empty() {
        Ok(())
    } else {
        Err(wrong.join("; "))
    }
}

/// A charge's status is what its receipts say; `refunded` when money went back or is about to.
fn is_what_came(view: &ChargeView, refunded: bool) -> Result<(), String> {
    let count = |which: fn(ReceiptState) -> bool| {
        let states = view.receipts.iter().map(|receipt| receipt.state);
        states.filter(|state| which(*state)).count()
    };
    let live = count(ReceiptState::is_live);
    let booked = count(|state| state == ReceiptState::Final);
    let holds = match view.status {
        Status::Created => live == 0,
        Status::Pending => true,
        Status::Processing => live > 0,
        Status::Paid => view
            .credited
            .is_some_and(|credited| credited.is_positive() && credited <= view.amount),
        // What went back is told by the refund; what did not is in the inbox, never out of sight.
        Status::Expired | Status::Underpaid | Status::Cancelled | Status::Failed => {
            refunded
                || (view.needs_attention == (live > 0)
                    && (view.refundable.is_some() || booked == 0))
        }
    };
    if holds {
        Ok(())
    } else {
        Err(format!(
            "{:?} with {live} live receipts, {booked} booked, credited {:?}, in the inbox: {}",
            view.status, view.credited, view.needs_attention
        ))
    }
}
