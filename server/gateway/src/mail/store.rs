use sqlx::{PgConnection, PgPool, Row};
use time::OffsetDateTime;

use super::Mail;
use crate::Result;

pub(super) async fn insert(
    conn: &mut PgConnection,
    at: OffsetDateTime,
    merchant_id: Option<i64>,
    to: &str,
    subject: &str,
    text: &str,
    html: &str,
) -> Result<()> {
    sqlx::query(
        "INSERT INTO mails (at, merchant_id, recipient, subject, text, html)
         VALUES ($1, $2, $3, $4, $5, $6)",
    )
    .bind(at)
    .bind(merchant_id)
    .bind(to)
    .bind(subject)
    .bind(text)
    .bind(html)
    .execute(conn)
    .await?;
    Ok(())
}

pub(super) async fn list(pool: &PgPool, before: i64, limit: i64) -> Result<Vec<Mail>> {
    let rows = sqlx::query(
        "SELECT id, at, recipient, subject, text, html FROM mails
         WHERE id < $1 ORDER BY id DESC LIMIT $2",
    )
    .bind(before)
    .bind(limit)
    .fetch_all(pool)
    .await?;
    rows.iter()
        .map(|row| {
            Ok(Mail {
                id: row.try_get("id")?,
                at: row.try_get("at")?,
                to: row.try_get("recipient")?,
                subject: row.try_get("subject")?,
                text: row.try_get("text")?,
                html: row.try_get("html")?,
            })
        })
        .collect()
}

/// Addresses of the administrators who may sign in.
pub(super) async fn operators(conn: &mut PgConnection) -> Result<Vec<String>> {
    Ok(sqlx::query_scalar(
        "SELECT email FROM users WHERE role = 'admin' AND status = 'active' ORDER BY id",
    )
    .fetch_all(conn)
    .await?)
}

/// Addresses of a merchant's own users who may sign in.
pub(super) async fn merchants(conn: &mut PgConnection, merchant_id: i64) -> Result<Vec<String>> {
    Ok(sqlx::query_scalar(
        "SELECT email FROM users
         WHERE merchant_id = $1 AND role = 'merchant' AND status = 'active' ORDER BY id",
    )
    .bind(merchant_id)
    .fetch_all(conn)
    .await?)
}
