//! The SQL behind the page of one charge: journal and deliveries.

use rust_decimal::Decimal;
use sqlx::{FromRow, PgPool};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::Result;

/// One posting of the journal with the accounts it moved money between.
#[derive(Debug, FromRow)]
pub(super) struct PostingRecord {
    pub(super) at: OffsetDateTime,
    pub(super) entry_id: Uuid,
    pub(super) entry_kind: String,
    pub(super) movement: String,
    pub(super) currency_id: i16,
    pub(super) amount: Decimal,
    pub(super) debit_kind: String,
    pub(super) debit_name: String,
    pub(super) credit_kind: String,
    pub(super) credit_name: String,
}

/// What entries and events about a charge may be about: the charge, and the withdrawals that sent
/// some of it back.
pub(super) async fn subjects(pool: &PgPool, charge_id: i64) -> Result<Vec<String>> {
    let refunds: Vec<i64> = sqlx::query_scalar(
        "SELECT operation_id FROM refund_claims
         WHERE charge_id = $1 AND operation_id IS NOT NULL ORDER BY id",
    )
    .bind(charge_id)
    .fetch_all(pool)
    .await?;
    Ok(std::iter::once(format!("charge:{charge_id}"))
        .chain(refunds.into_iter().map(|id| format!("operation:{id}")))
        .collect())
}

/// Postings of the entries about these subjects, oldest first.
pub(super) async fn list_postings(
    pool: &PgPool,
    merchant_id: i64,
    subjects: &[String],
) -> Result<Vec<PostingRecord>> {
    Ok(sqlx::query_as(
        "SELECT e.created_at AS at, e.id AS entry_id, e.kind AS entry_kind, p.movement,
                p.currency_id, p.amount, d.kind AS debit_kind, d.name AS debit_name,
                c.kind AS credit_kind, c.name AS credit_name
         FROM journal_entries e
              JOIN postings p ON p.entry_id = e.id
              JOIN accounts d ON d.id = p.debit_account
              JOIN accounts c ON c.id = p.credit_account
         WHERE e.subject = ANY($2) AND e.merchant_id = $1
         ORDER BY e.created_at, e.id, p.leg",
    )
    .bind(merchant_id)
    .bind(subjects)
    .fetch_all(pool)
    .await?)
}

/// One event on its way to one receiver.
#[derive(Debug, FromRow)]
pub(in crate::dashboard) struct DeliveryRecord {
    pub(in crate::dashboard) id: i64,
    pub(in crate::dashboard) event_id: String,
    pub(in crate::dashboard) event_type: String,
    pub(in crate::dashboard) url: String,
    pub(in crate::dashboard) state: String,
    pub(in crate::dashboard) next_attempt_at: Option<OffsetDateTime>,
    pub(in crate::dashboard) body: Vec<u8>,
}

/// Deliveries of the events about these objects, oldest first.
pub(super) async fn list_deliveries(
    pool: &PgPool,
    merchant_id: i64,
    objects: &[String],
) -> Result<Vec<DeliveryRecord>> {
    Ok(sqlx::query_as(
        "SELECT d.id, d.event_id, e.type AS event_type, d.url, d.state, d.next_attempt_at, d.body
         FROM events e JOIN deliveries d ON d.event_id = e.id
         WHERE e.object = ANY($2) AND e.merchant_id = $1
         ORDER BY d.id",
    )
    .bind(merchant_id)
    .bind(objects)
    .fetch_all(pool)
    .await?)
}

/// One try of a delivery.
#[derive(Debug, FromRow)]
pub(super) struct AttemptRecord {
    pub(super) delivery_id: i64,
    pub(super) number: i32,
    pub(super) at: OffsetDateTime,
    pub(super) status: Option<i32>,
    pub(super) duration_ms: i64,
    pub(super) error: Option<String>,
    pub(super) response_head: String,
}

/// Attempts of several deliveries, oldest first.
pub(super) async fn list_attempts(pool: &PgPool, deliveries: &[i64]) -> Result<Vec<AttemptRecord>> {
    Ok(sqlx::query_as(
        "SELECT delivery_id, number, at, status, duration_ms, error, response_head
         FROM delivery_attempts WHERE delivery_id = ANY($1) ORDER BY id",
    )
    .bind(deliveries)
    .fetch_all(pool)
    .await?)
}
