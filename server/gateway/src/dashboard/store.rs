//! The SQL behind the dashboard: reads only, the merchant always first.

use rust_decimal::Decimal;
use sqlx::{FromRow, PgPool, Postgres, QueryBuilder};
use time::{Date, OffsetDateTime};

use super::selection::{Cursor, REFUNDED, Search, Selection};
use crate::Result;

/// What a row of any list of charges shows.
#[derive(Debug, Clone, FromRow)]
pub(super) struct ChargeRecord {
    pub(super) public_id: String,
    pub(super) created_at: OffsetDateTime,
    pub(super) name: Option<String>,
    pub(super) surname: Option<String>,
    pub(super) email: Option<String>,
    pub(super) amount: Decimal,
    pub(super) currency_id: i16,
    pub(super) coin_id: Option<i16>,
    /// Live receipts in the coin.
    pub(super) received: Option<Decimal>,
    pub(super) status: String,
    pub(super) flags: Vec<String>,
    pub(super) resolution: String,
    pub(super) needs_attention: bool,
    pub(super) credited: Option<Decimal>,
    pub(super) fee: Option<Decimal>,
    pub(super) paid_at: Option<OffsetDateTime>,
}

const CHARGE: &str = "SELECT c.public_id, c.created_at, c.customer->>'name' AS name,
        c.customer->>'surname' AS surname, c.customer->>'email' AS email, c.amount, c.currency_id,
        c.coin_id, c.status, c.flags, c.resolution, c.needs_attention, c.credited, c.fee, c.paid_at,
        (SELECT sum(r.amount) FROM receipts r
         WHERE r.charge_id = c.id AND r.coin_id = c.coin_id AND r.state IN ('seen', 'final')
        ) AS received
    FROM charges c WHERE c.merchant_id = ";

/// Charges of the merchant at the cursor, newest first; up to `limit`, which the caller sets one
/// above the page to learn whether there is another.
pub(super) async fn list_charges(
    pool: &PgPool,
    merchant_id: i64,
    selection: &Selection,
    cursor: &Cursor,
    limit: i64,
) -> Result<Vec<ChargeRecord>> {
    let mut query = QueryBuilder::<Postgres>::new(CHARGE);
    query.push_bind(merchant_id);
    push_selection(&mut query, selection);
    let newest_first = match cursor {
        Cursor::Newest => true,
        Cursor::Before(public_id) => {
            push_anchor(&mut query, "<", merchant_id, public_id);
            true
        }
        Cursor::After(public_id) => {
            push_anchor(&mut query, ">", merchant_id, public_id);
            false
        }
    };
    query.push(if newest_first {
        " ORDER BY c.id DESC"
    } else {
        " ORDER BY c.id"
    });
    query.push(" LIMIT ").push_bind(limit);
    let mut rows: Vec<ChargeRecord> = query.build_query_as().fetch_all(pool).await?;
    if !newest_first {
        rows.reverse();
    }
    Ok(rows)
}

fn push_anchor(
    query: &mut QueryBuilder<Postgres>,
    comparison: &str,
    merchant_id: i64,
    public_id: &str,
) {
    query.push(" AND c.id ").push(comparison);
    query
        .push(" (SELECT id FROM charges WHERE merchant_id = ")
        .push_bind(merchant_id);
    query
        .push(" AND public_id = ")
        .push_bind(public_id.to_owned())
        .push(")");
}

fn push_selection(query: &mut QueryBuilder<Postgres>, selection: &Selection) {
    if let Some(status) = selection.status {
        if status == REFUNDED {
            query.push(" AND c.resolution = 'refunded'");
        } else {
            query
                .push(" AND c.resolution <> 'refunded' AND c.status = ")
                .push_bind(status);
        }
    }
    if let Some(id) = selection.currency_id {
        query.push(" AND (c.currency_id = ").push_bind(id);
        query.push(" OR c.coin_id = ").push_bind(id).push(")");
    }
    if let Some(from) = selection.created_from {
        query.push(" AND c.created_at >= ").push_bind(from);
    }
    if let Some(until) = selection.created_until {
        query.push(" AND c.created_at < ").push_bind(until);
    }
    if selection.only_attention {
        query.push(" AND c.needs_attention");
    }
    match &selection.search {
        None => {}
        Some(Search::PublicId(start)) => {
            query
                .push(" AND starts_with(c.public_id, ")
                .push_bind(start.clone())
                .push(")");
        }
        Some(Search::OnChain(spellings)) => {
            query.push(
                " AND c.id IN (SELECT charge_id FROM receipts WHERE coin_id IN
                      (SELECT id FROM currencies WHERE kind = 'crypto') AND txid = ANY(",
            );
            query.push_bind(spellings.clone());
            query.push(
                ") UNION ALL SELECT m.charge_id FROM charge_methods m
                      JOIN chain_addresses a ON a.id = m.address_id WHERE a.address = ANY(",
            );
            query.push_bind(spellings.clone()).push("))");
        }
        Some(Search::Text(text)) => {
            query.push(" AND strpos(lower(concat_ws(' ', c.public_id, c.customer->>'name',");
            query.push(" c.customer->>'surname', c.customer->>'email')), lower(");
            query.push_bind(text.clone()).push(")) > 0");
        }
    }
}

/// Whether the merchant ever made a charge, and the currency of the newest one.
pub(super) async fn newest_charge_currency(pool: &PgPool, merchant_id: i64) -> Result<Option<i16>> {
    Ok(sqlx::query_scalar(
        "SELECT currency_id FROM charges WHERE merchant_id = $1 ORDER BY id DESC LIMIT 1",
    )
    .bind(merchant_id)
    .fetch_optional(pool)
    .await?)
}

/// Charges in the inbox, counted up to `most`.
pub(super) async fn count_attention(pool: &PgPool, merchant_id: i64, most: i64) -> Result<i64> {
    Ok(sqlx::query_scalar(
        "SELECT count(*) FROM (SELECT FROM charges WHERE merchant_id = $1 AND needs_attention
         LIMIT $2) AS counted",
    )
    .bind(merchant_id)
    .bind(most)
    .fetch_one(pool)
    .await?)
}

/// Deliveries given up since `since`, with the charge of the newest one.
pub(super) async fn given_up_deliveries(
    pool: &PgPool,
    merchant_id: i64,
    since: OffsetDateTime,
) -> Result<(i64, Option<String>)> {
    Ok(sqlx::query_as(
        "SELECT count(*), (array_agg(c.public_id ORDER BY d.id DESC))[1]
         FROM deliveries d
              LEFT JOIN charges c ON c.id = CASE WHEN d.object ~ '^charge:[0-9]+$'
                                                 THEN substr(d.object, 8)::bigint END
         WHERE d.merchant_id = $1 AND d.given_up_at >= $2 AND d.state = 'failed'",
    )
    .bind(merchant_id)
    .bind(since)
    .fetch_one(pool)
    .await?)
}

/// One day's paid charges.
#[derive(Debug, FromRow)]
pub(super) struct PaidDay {
    pub(super) day: Date,
    pub(super) paid_count: i64,
    pub(super) amount: Decimal,
}

/// Charges paid from `from` on, by UTC day.
pub(super) async fn paid_by_day(
    pool: &PgPool,
    merchant_id: i64,
    currency_id: i16,
    from: OffsetDateTime,
) -> Result<Vec<PaidDay>> {
    Ok(sqlx::query_as(
        "SELECT (paid_at AT TIME ZONE 'UTC')::date AS day, count(*) AS paid_count,
                sum(amount) AS amount
         FROM charges
         WHERE merchant_id = $1 AND currency_id = $2 AND paid_at >= $3
         GROUP BY 1 ORDER BY 1",
    )
    .bind(merchant_id)
    .bind(currency_id)
    .bind(from)
    .fetch_all(pool)
    .await?)
}

/// A mail that went out.
#[derive(Debug, FromRow)]
pub(super) struct MailRecord {
    pub(super) id: i64,
    pub(super) at: OffsetDateTime,
    pub(super) recipient: String,
    pub(super) subject: String,
    pub(super) text: String,
}

/// Mails older than `before`, newest first.
pub(super) async fn list_mails(pool: &PgPool, before: i64, limit: i64) -> Result<Vec<MailRecord>> {
    Ok(sqlx::query_as(
        "SELECT id, at, recipient, subject, text FROM mails WHERE id < $1 ORDER BY id DESC LIMIT $2",
    )
    .bind(before)
    .bind(limit)
    .fetch_all(pool)
    .await?)
}
