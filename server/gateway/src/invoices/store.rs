use serde_json::Value;
use sqlx::types::Json;
use sqlx::{PgConnection, Row};
use time::OffsetDateTime;

use super::InvoiceDetails;
use crate::Result;

/// An invoice to be written beside its charge.
pub(super) struct NewRow<'a> {
    pub(super) charge_id: i64,
    pub(super) merchant_id: i64,
    pub(super) code: &'a str,
    pub(super) foreign_id: &'a str,
    pub(super) foreign_json: &'a Value,
    pub(super) request_hash: &'a [u8; 32],
    pub(super) title: &'a str,
    pub(super) description: &'a str,
    pub(super) kind: i16,
    pub(super) sender_currency_id: Option<i16>,
    pub(super) email: Option<&'a str>,
    pub(super) details: Option<&'a InvoiceDetails>,
    pub(super) created_by: &'a str,
}

pub(super) async fn insert(
    conn: &mut PgConnection,
    new: &NewRow<'_>,
    now: OffsetDateTime,
) -> Result<()> {
    sqlx::query(
        "INSERT INTO invoices (charge_id, merchant_id, code, foreign_id, foreign_json, request_hash,
             title, description, type, sender_currency_id, email, details, created_by, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
    )
    .bind(new.charge_id)
    .bind(new.merchant_id)
    .bind(new.code)
    .bind(new.foreign_id)
    .bind(Json(new.foreign_json))
    .bind(new.request_hash.as_slice())
    .bind(new.title)
    .bind(new.description)
    .bind(new.kind)
    .bind(new.sender_currency_id)
    .bind(new.email)
    .bind(new.details.map(Json))
    .bind(new.created_by)
    .bind(now)
    .execute(conn)
    .await?;
    Ok(())
}

/// An invoice a reference names.
pub(super) struct Known {
    pub(super) public_id: String,
    pub(super) request_hash: Vec<u8>,
}

pub(super) async fn find_reference(
    conn: &mut PgConnection,
    merchant_id: i64,
    foreign_id: &str,
) -> Result<Option<Known>> {
    let row = sqlx::query(
        "SELECT c.public_id, i.request_hash FROM invoices i JOIN charges c ON c.id = i.charge_id
         WHERE i.merchant_id = $1 AND i.foreign_id = $2",
    )
    .bind(merchant_id)
    .bind(foreign_id)
    .fetch_optional(conn)
    .await?;
    row.map(|row| {
        Ok(Known {
            public_id: row.try_get("public_id")?,
            request_hash: row.try_get("request_hash")?,
        })
    })
    .transpose()
}

pub(super) async fn public_id_by_id(
    conn: &mut PgConnection,
    merchant_id: i64,
    id: i64,
) -> Result<Option<String>> {
    Ok(sqlx::query_scalar(
        "SELECT c.public_id FROM invoices i JOIN charges c ON c.id = i.charge_id
         WHERE i.merchant_id = $1 AND i.id = $2",
    )
    .bind(merchant_id)
    .bind(id)
    .fetch_optional(conn)
    .await?)
}

pub(super) async fn public_id_by_reference(
    conn: &mut PgConnection,
    merchant_id: i64,
    foreign_id: &str,
) -> Result<Option<String>> {
    let known = find_reference(conn, merchant_id, foreign_id).await?;
    Ok(known.map(|known| known.public_id))
}

pub(super) async fn public_id_by_code(
    conn: &mut PgConnection,
    code: &str,
) -> Result<Option<String>> {
    Ok(sqlx::query_scalar(
        "SELECT c.public_id FROM invoices i JOIN charges c ON c.id = i.charge_id WHERE i.code = $1",
    )
    .bind(code)
    .fetch_optional(conn)
    .await?)
}

pub(super) async fn page(
    conn: &mut PgConnection,
    merchant_id: i64,
    before: i64,
    limit: i64,
) -> Result<Vec<String>> {
    Ok(sqlx::query_scalar(
        "SELECT c.public_id FROM invoices i JOIN charges c ON c.id = i.charge_id
         WHERE i.merchant_id = $1 AND i.id < $2 ORDER BY i.id DESC LIMIT $3",
    )
    .bind(merchant_id)
    .bind(before)
    .bind(limit)
    .fetch_all(conn)
    .await?)
}
