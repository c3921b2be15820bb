//! What the clients were told, compared with what there is.

use std::ops::AddAssign;

use serde_json::Value;
use sqlx::PgPool;

use crate::crowd::{Ack, Log};
use crate::shop::{STRANGER, Wish, email, public_id};

/// What Postgres writes when it ends a transaction because two wait for each other.
const DEADLOCK: &str = "deadlock detected";

/// What is not as clients were told. All of it has to be zero.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Faults {
    /// Acknowledged, and not there.
    pub lost: usize,
    /// There more than once, or paid more than once.
    pub doubled: usize,
    /// Refused, and there.
    pub refused_and_done: usize,
    /// There, and nobody will ever be told; or marked as told, and nobody has heard it.
    pub untold: usize,
    /// Done after its time or refused within it, by the database's clock.
    pub untimely: usize,
    /// Postgres ended a transaction because two waited for each other.
    pub deadlocks: usize,
}

impl AddAssign for Faults {
    fn add_assign(&mut self, other: Self) {
        self.lost += other.lost;
        self.doubled += other.doubled;
        self.refused_and_done += other.refused_and_done;
        self.untold += other.untold;
        self.untimely += other.untimely;
        self.deadlocks += other.deadlocks;
    }
}

/// Orders and operations; also good for a copy in which payments are still on their way.
pub async fn requests(pool: &PgPool, log: &Log) -> Faults {
    let orders = names_of(log, |wish| wish.kind.is_order().then(|| email(&wish.key)));
    let operations = names_of(log, |wish| {
        wish.kind.is_operation().then(|| wish.key.clone())
    });
    // How many there are, and whether something about each of them was told or is about to be.
    let mut found: Vec<(i64, bool)> = sqlx::query_as(
        "SELECT count(c.id), coalesce(bool_and(EXISTS (
             SELECT FROM events e WHERE e.object = 'charge:' || c.id)), false)
         FROM unnest($1::text[]) AS k (email)
         LEFT JOIN charges c ON c.customer ->> 'email' = k.email GROUP BY k.email",
    )
    .bind(&orders)
    .fetch_all(pool)
    .await
    .unwrap();
    let of_operations: Vec<(i64, bool)> = sqlx::query_as(
        "SELECT count(o.id), coalesce(bool_and(EXISTS (
             SELECT FROM events e JOIN deliveries d ON d.event_id = e.id
             WHERE e.object = 'operation:' || o.id)), false)
         FROM unnest($1::text[]) AS k (foreign_id)
         LEFT JOIN operations o ON o.foreign_id = k.foreign_id GROUP BY k.foreign_id",
    )
    .bind(&operations)
    .fetch_all(pool)
    .await
    .unwrap();
    found.extend(of_operations);
    assert_eq!(found.len(), log.acks.len(), "a key was used twice");
    let refused: Vec<&str> = log.refused.iter().map(|wish| wish.key.as_str()).collect();
    let refused_and_done: i64 =
        sqlx::query_scalar("SELECT count(*) FROM operations WHERE foreign_id = ANY($1)")
            .bind(&refused)
            .fetch_one(pool)
            .await
            .unwrap();
    Faults {
        lost: found.iter().filter(|(count, _)| *count == 0).count(),
        doubled: found.iter().filter(|(count, _)| *count > 1).count(),
        refused_and_done: usize::try_from(refused_and_done).unwrap(),
        untold: found
            .iter()
            .filter(|(count, told)| *count > 0 && !told)
            .count(),
        ..Faults::default()
    }
}

fn names_of(log: &Log, name: impl Fn(&Wish) -> Option<String>) -> Vec<String> {
    log.acks.iter().filter_map(|ack| name(&ack.wish)).collect()
}

/// Payments of orders, once they are deep enough: each came once, was credited once, and is told.
pub async fn payments(pool: &PgPool, acks: &[Ack]) -> Faults {
    let (mut orders, mut txids) = (Vec::new(), Vec::new());
    for ack in acks {
        if let Some(txid) = &ack.txid {
            let made: Value = serde_json::from_slice(&ack.body).unwrap();
            orders.push(public_id(&made).to_owned());
            txids.push(txid.clone());
        }
    }
    let found: Vec<(i64, i64, bool)> = sqlx::query_as(
        "SELECT (SELECT count(*) FROM receipts r
                 WHERE r.charge_id = c.id AND r.txid = p.txid AND r.state = 'final'),
                (SELECT count(*) FROM journal_entries j
                 WHERE j.kind = 'charge_paid' AND j.subject = 'charge:' || c.id),
                EXISTS (SELECT FROM events e JOIN deliveries d ON d.event_id = e.id
                        WHERE e.object = 'charge:' || c.id AND e.type = 'charge.paid')
         FROM unnest($1::text[], $2::text[]) AS p (public_id, txid)
         JOIN charges c ON c.public_id = p.public_id",
    )
    .bind(&orders)
    .bind(&txids)
    .fetch_all(pool)
    .await
    .unwrap();
    let missing = orders.len() - found.len();
    let of = |condition: fn(&(i64, i64, bool)) -> bool| {
        found.iter().filter(|each| condition(each)).count()
    };
    Faults {
        lost: missing + of(|(came, credited, _)| *came == 0 || *credited == 0),
        doubled: of(|(came, credited, _)| *came > 1 || *credited > 1),
        untold: of(|(_, credited, told)| *credited > 0 && !told),
        ..Faults::default()
    }
}

/// The stranger has what withdrawals say that were sent, and no more: `doubled` if there is more, `lost`
/// if there is less.
pub async fn withdrawals(pool: &PgPool) -> Faults {
    let (more, less): (bool, bool) = sqlx::query_as(
        "WITH paid AS (
             SELECT coalesce(sum((o ->> 'raw')::numeric), 0) AS total
             FROM sim.txs t CROSS JOIN LATERAL jsonb_array_elements(t.outputs) o
             WHERE t.chain = 'BTC' AND NOT t.gone AND o ->> 'address' = $1),
         said AS (
             SELECT coalesce(sum(amount) FILTER (WHERE state IN ('broadcast', 'settled')), 0) AS sent,
                    coalesce(sum(amount) FILTER (WHERE state IN ('built', 'broadcast', 'settled')), 0)
                        AS at_most
             FROM withdrawals WHERE address = $1)
         SELECT paid.total > said.at_most, paid.total < said.sent FROM paid, said",
    )
    .bind(STRANGER)
    .fetch_one(pool)
    .await
    .unwrap();
    Faults {
        lost: usize::from(less),
        doubled: usize::from(more),
        ..Faults::default()
    }
}

/// Whether a withdrawal has ever left.
pub async fn is_any_sent(pool: &PgPool) -> bool {
    sqlx::query_scalar(
        "SELECT EXISTS (SELECT FROM withdrawals
                        WHERE address = $1 AND state IN ('broadcast', 'settled'))",
    )
    .bind(STRANGER)
    .fetch_one(pool)
    .await
    .unwrap()
}

/// Exchanges at a price that did not stand then, and promises kept for a deposit that was not seen within
/// their time.
pub async fn times(pool: &PgPool) -> Faults {
    let untimely: i64 = sqlx::query_scalar(
        "SELECT (SELECT count(*) FROM quote_uses u JOIN quotes q ON q.id = u.quote_id
                 JOIN operations o ON o.id = u.operation_id
                 WHERE o.created_at NOT BETWEEN q.fixed_at AND q.release_at)
              + (SELECT count(*) FROM futures f JOIN deposits d ON d.operation_id = f.operation_id
                 WHERE f.state IN ('matched', 'settled')
                   AND d.first_seen_at NOT BETWEEN f.fixed_at AND f.release_at)",
    )
    .fetch_one(pool)
    .await
    .unwrap();
    Faults {
        untimely: usize::try_from(untimely).unwrap(),
        ..Faults::default()
    }
}

/// How many promises for addresses of these names are kept, or will be once their deposits are deep enough.
pub async fn promises_kept(pool: &PgPool, names: &[String]) -> usize {
    let kept: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM futures f JOIN deposit_addresses a ON a.id = f.deposit_address_id
         WHERE a.foreign_id = ANY($1) AND f.state IN ('matched', 'settled')",
    )
    .bind(names)
    .fetch_one(pool)
    .await
    .unwrap();
    usize::try_from(kept).unwrap()
}

/// By what Postgres counts, which it does anew after a crash, and a moment late; and by what it has written
/// into its log, which is kept, but not on a disk that is full.
pub async fn deadlocks(pool: &PgPool, log: &str) -> Faults {
    let counted: i64 = sqlx::query_scalar(
        "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()",
    )
    .fetch_one(pool)
    .await
    .unwrap();
    Faults {
        deadlocks: usize::try_from(counted)
            .unwrap()
            .max(log.matches(DEADLOCK).count()),
        ..Faults::default()
    }
}
