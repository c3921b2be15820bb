//! What other capabilities know of a charge: its journal and its webhook attempts.

use rust_decimal::Decimal;
use serde_json::{Value, json};
use sqlx::types::Json;
use sqlx::{PgPool, Row};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::Result;
use crate::ledger::units;

/// One posting of a charge's journal.
pub(super) struct PostingLine {
    pub(super) at: OffsetDateTime,
    pub(super) entry_id: Uuid,
    pub(super) kind: String,
    pub(super) label: String,
    pub(super) debit: String,
    pub(super) credit: String,
    pub(super) currency_id: i16,
    pub(super) amount: i128,
}

/// Postings of the entries about `subject`, entry by entry, oldest first.
pub(super) async fn postings(pool: &PgPool, subject: &str) -> Result<Vec<PostingLine>> {
    let rows = sqlx::query(
        "SELECT e.created_at, e.id, e.kind, p.label, d.kind AS debit, c.kind AS credit, p.currency_id,
             p.amount
         FROM journal_entries e JOIN postings p ON p.entry_id = e.id
         JOIN accounts d ON d.id = p.debit_account JOIN accounts c ON c.id = p.credit_account
         WHERE e.subject = $1 ORDER BY e.created_at, e.id, p.leg",
    )
    .bind(subject)
    .fetch_all(pool)
    .await?;
    rows.iter()
        .map(|row| {
            let amount: Decimal = row.try_get("amount")?;
            Ok(PostingLine {
                at: row.try_get("created_at")?,
                entry_id: row.try_get("id")?,
                kind: row.try_get("kind")?,
                label: row.try_get("label")?,
                debit: row.try_get("debit")?,
                credit: row.try_get("credit")?,
                currency_id: row.try_get("currency_id")?,
                amount: units(amount),
            })
        })
        .collect()
}

/// Webhook attempts of the events about `object`, as timeline entries.
pub(super) async fn attempts(
    pool: &PgPool,
    object: &str,
) -> Result<Vec<(OffsetDateTime, String, Value)>> {
    let rows = sqlx::query(
        "SELECT a.at, a.number, a.status, a.error, e.id AS event_id, e.type AS event, d.url
         FROM events e JOIN deliveries d ON d.event_id = e.id
         JOIN delivery_attempts a ON a.delivery_id = d.id
         WHERE e.object = $1 ORDER BY a.id",
    )
    .bind(object)
    .fetch_all(pool)
    .await?;
    rows.iter()
        .map(|row| {
            let data = json!({
                "event": row.try_get::<String, _>("event")?,
                "event_id": row.try_get::<String, _>("event_id")?,
                "url": row.try_get::<String, _>("url")?,
                "number": row.try_get::<i32, _>("number")?,
                "status": row.try_get::<Option<i32>, _>("status")?,
                "error": row.try_get::<Option<String>, _>("error")?,
            });
            Ok((row.try_get("at")?, "webhook.attempt".to_owned(), data))
        })
        .collect()
}

/// What happened to a charge, oldest first: when, which kind, with what.
pub(super) async fn timeline(
    pool: &PgPool,
    charge_id: i64,
) -> Result<Vec<(OffsetDateTime, String, Value)>> {
    let rows =
        sqlx::query("SELECT at, kind, data FROM charge_timeline WHERE charge_id = $1 ORDER BY id")
            .bind(charge_id)
            .fetch_all(pool)
            .await?;
    rows.iter()
        .map(|row| {
            let Json(data): Json<Value> = row.try_get("data")?;
            Ok((row.try_get("at")?, row.try_get("kind")?, data))
        })
        .collect()
}
