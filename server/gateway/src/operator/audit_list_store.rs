//! The SQL behind the page of the audit log.

use serde_json::Value;
use sqlx::types::Json;
use sqlx::{FromRow, PgPool};
use time::OffsetDateTime;

use crate::Result;

#[derive(Debug, FromRow)]
pub(super) struct AuditRecord {
    pub(super) id: i64,
    pub(super) at: OffsetDateTime,
    pub(super) actor: String,
    pub(super) action: String,
    pub(super) subject: String,
    pub(super) data: Json<Value>,
}

/// Which rows; what is empty asks for all.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted<'a> {
    /// Part of the actor.
    pub(super) actor: &'a str,
    /// Beginning of the action.
    pub(super) action: &'a str,
    /// The whole subject.
    pub(super) subject: &'a str,
}

/// Those before row `before`, newest first.
pub(super) async fn list(
    pool: &PgPool,
    wanted: Wanted<'_>,
    before: i64,
    limit: i64,
) -> Result<Vec<AuditRecord>> {
    Ok(sqlx::query_as(
        "SELECT id, at, actor, action, subject, data FROM audit_log
         WHERE id < $4 AND ($1 = '' OR strpos(lower(actor), lower($1)) > 0)
           AND ($2 = '' OR starts_with(action, $2)) AND ($3 = '' OR subject = $3)
         ORDER BY id DESC LIMIT $5",
    )
    .bind(wanted.actor)
    .bind(wanted.action)
    .bind(wanted.subject)
    .bind(before)
    .bind(limit)
    .fetch_all(pool)
    .await?)
}
