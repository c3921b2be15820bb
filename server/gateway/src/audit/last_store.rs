//! The SQL behind the last audit that is kept.

use domain::view::system::{AuditFigures, AuditFound, LastAudit};
use sqlx::types::Json;
use sqlx::{FromRow, PgPool};
use time::{Duration, OffsetDateTime};

use crate::Result;

/// After this the one who began is taken for dead.
const RUN_MAX: Duration = Duration::hours(1);

/// Whether the caller is the one to audit.
pub(super) async fn begin_run(pool: &PgPool, now: OffsetDateTime) -> Result<bool> {
    let begun = sqlx::query(
        "INSERT INTO book_audits AS a (begun_at) VALUES ($1)
         ON CONFLICT (id) DO UPDATE SET begun_at = $1
         WHERE a.begun_at IS NULL OR a.begun_at < $2 OR a.begun_at > $1",
    )
    .bind(now)
    .bind(now - RUN_MAX)
    .execute(pool)
    .await?;
    Ok(begun.rows_affected() > 0)
}

/// Nothing was found out; what was found before stays.
pub(super) async fn give_up_run(pool: &PgPool) -> Result<()> {
    sqlx::query("UPDATE book_audits SET begun_at = NULL")
        .execute(pool)
        .await?;
    Ok(())
}

pub(super) async fn keep(
    pool: &PgPool,
    found: &AuditFound,
    asked_by: &str,
    took_ms: i64,
    now: OffsetDateTime,
) -> Result<()> {
    sqlx::query(
        "INSERT INTO book_audits (checked_at, asked_by, took_ms, found) VALUES ($1, $2, $3, $4)
         ON CONFLICT (id) DO UPDATE
         SET begun_at = NULL, checked_at = $1, asked_by = $2, took_ms = $3, found = $4",
    )
    .bind(now)
    .bind(asked_by)
    .bind(took_ms)
    .bind(Json(found))
    .execute(pool)
    .await?;
    Ok(())
}

#[derive(FromRow)]
struct Row {
    begun_at: Option<OffsetDateTime>,
    checked_at: Option<OffsetDateTime>,
    asked_by: Option<String>,
    took_ms: Option<i64>,
    found: Option<Json<AuditFound>>,
}

pub(super) async fn last(pool: &PgPool) -> Result<AuditFigures> {
    let row: Option<Row> =
        sqlx::query_as("SELECT begun_at, checked_at, asked_by, took_ms, found FROM book_audits")
            .fetch_optional(pool)
            .await?;
    let Some(row) = row else {
        return Ok(AuditFigures::default());
    };
    let last = match (row.checked_at, row.asked_by, row.took_ms, row.found) {
        (Some(checked_at), Some(asked_by), Some(took_ms), Some(found)) => Some(LastAudit {
            checked_at,
            asked_by,
            took_ms,
            found: found.0,
        }),
        _ => None,
    };
    Ok(AuditFigures {
        begun_at: row.begun_at,
        last,
    })
}
