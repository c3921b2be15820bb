//! The SQL behind the delivery log: reads only, the merchant always first.

use sqlx::types::Json;
use sqlx::{FromRow, PgPool, Postgres, QueryBuilder};
use time::OffsetDateTime;

use super::charge_detail::DeliveryRecord;
use super::delivery_list::Place;
use crate::Result;

/// A delivery with what came of its last attempt and what it is about.
#[derive(Debug, Clone, FromRow)]
pub(super) struct LogRecord {
    pub(super) id: i64,
    pub(super) created_at: OffsetDateTime,
    pub(super) delivered_at: Option<OffsetDateTime>,
    pub(super) event_id: String,
    pub(super) event_type: String,
    pub(super) object: String,
    pub(super) format: String,
    pub(super) url: String,
    pub(super) state: String,
    pub(super) attempts: i32,
    pub(super) next_attempt_at: Option<OffsetDateTime>,
    pub(super) last_status: Option<i32>,
    pub(super) last_error: Option<String>,
    pub(super) last_duration_ms: Option<i64>,
    /// Of the charge it is about.
    pub(super) public_id: Option<String>,
    /// Of the operation it is about.
    pub(super) operation_id: Option<i64>,
    pub(super) operation_kind: Option<String>,
}

const LOG: &str = "SELECT d.id, d.created_at, d.delivered_at, d.event_id, e.type AS event_type,
        d.object, d.format, d.url, d.state, d.attempts, d.next_attempt_at,
        a.status AS last_status, a.error AS last_error, a.duration_ms AS last_duration_ms,
        c.public_id, o.id AS operation_id, o.kind AS operation_kind
    FROM deliveries d JOIN events e ON e.id = d.event_id
         LEFT JOIN LATERAL (SELECT status, error, duration_ms FROM delivery_attempts
                            WHERE delivery_id = d.id ORDER BY id DESC LIMIT 1) a ON true
         LEFT JOIN charges c ON c.id = CASE WHEN d.object ~ '^charge:[0-9]+$'
                                            THEN substr(d.object, 8)::bigint END
         LEFT JOIN operations o ON o.id = CASE WHEN d.object ~ '^operation:[0-9]+$'
                                               THEN substr(d.object, 11)::bigint END
    WHERE d.merchant_id = ";

/// Deliveries of the merchant at the place, newest first; up to `limit`, which the caller sets one
/// above the page to learn whether there is another. An empty filter takes all.
pub(super) async fn list(
    pool: &PgPool,
    merchant_id: i64,
    state: &str,
    event: &str,
    place: Place,
    limit: i64,
) -> Result<Vec<LogRecord>> {
    let mut query = QueryBuilder::<Postgres>::new(LOG);
    query.push_bind(merchant_id);
    if !state.is_empty() {
        query.push(" AND d.state = ").push_bind(state.to_owned());
    }
    if !event.is_empty() {
        query.push(" AND e.type = ").push_bind(event.to_owned());
    }
    let newest_first = match place {
        Place::Newest => true,
        Place::Before(id) => {
            query.push(" AND d.id < ").push_bind(id);
            true
        }
        Place::After(id) => {
            query.push(" AND d.id > ").push_bind(id);
            false
        }
    };
    query.push(if newest_first {
        " ORDER BY d.id DESC"
    } else {
        " ORDER BY d.id"
    });
    query.push(" LIMIT ").push_bind(limit);
    let mut rows: Vec<LogRecord> = query.build_query_as().fetch_all(pool).await?;
    if !newest_first {
        rows.reverse();
    }
    Ok(rows)
}

/// One delivery of the merchant.
pub(super) async fn find(pool: &PgPool, merchant_id: i64, id: i64) -> Result<Option<LogRecord>> {
    let mut query = QueryBuilder::<Postgres>::new(LOG);
    query.push_bind(merchant_id);
    query.push(" AND d.id = ").push_bind(id);
    Ok(query.build_query_as().fetch_optional(pool).await?)
}

/// What one delivery of the merchant sends: the body and the headers of its format.
pub(super) async fn content(
    pool: &PgPool,
    merchant_id: i64,
    id: i64,
) -> Result<Option<(DeliveryRecord, Vec<(String, String)>)>> {
    let record: Option<DeliveryRecord> = sqlx::query_as(
        "SELECT d.id, d.event_id, e.type AS event_type, d.url, d.state, d.next_attempt_at, d.body
         FROM deliveries d JOIN events e ON e.id = d.event_id
         WHERE d.merchant_id = $1 AND d.id = $2",
    )
    .bind(merchant_id)
    .bind(id)
    .fetch_optional(pool)
    .await?;
    let headers: Option<Json<Vec<(String, String)>>> =
        sqlx::query_scalar("SELECT headers FROM deliveries WHERE merchant_id = $1 AND id = $2")
            .bind(merchant_id)
            .bind(id)
            .fetch_optional(pool)
            .await?;
    Ok(record.zip(headers.map(|Json(headers)| headers)))
}

/// Latest deliveries of test callbacks, newest first.
pub(super) async fn tests(
    pool: &PgPool,
    merchant_id: i64,
    limit: i64,
) -> Result<Vec<DeliveryRecord>> {
    Ok(sqlx::query_as(
        "SELECT d.id, d.event_id, e.type AS event_type, d.url, d.state, d.next_attempt_at, d.body
         FROM events e JOIN deliveries d ON d.event_id = e.id
         WHERE e.merchant_id = $1 AND e.type = 'webhook.test'
         ORDER BY e.created_at DESC, d.id DESC LIMIT $2",
    )
    .bind(merchant_id)
    .bind(limit)
    .fetch_all(pool)
    .await?)
}
