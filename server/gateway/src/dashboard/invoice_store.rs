//! The SQL behind the list of invoices and the page of one.

use rust_decimal::Decimal;
use sqlx::{FromRow, PgPool, Postgres, QueryBuilder};
use time::{Date, OffsetDateTime};

use super::invoice_selection::{InvoiceSelection, StatusPick};
use super::selection::Cursor;
use crate::Result;

/// An invoice with what its charge has come to.
#[derive(Debug, Clone, FromRow)]
pub(super) struct InvoiceRecord {
    pub(super) id: i64,
    pub(super) code: String,
    pub(super) foreign_id: String,
    pub(super) number: Option<String>,
    pub(super) due_date: Option<String>,
    pub(super) title: String,
    pub(super) created_by: String,
    pub(super) created_at: OffsetDateTime,
    pub(super) public_id: String,
    pub(super) name: Option<String>,
    pub(super) email: Option<String>,
    pub(super) amount: Decimal,
    pub(super) currency_id: i16,
    pub(super) coin_id: Option<i16>,
    /// Live receipts in the coin.
    pub(super) received: Option<Decimal>,
    pub(super) status: String,
    pub(super) flags: Vec<String>,
    pub(super) resolution: String,
    pub(super) paid_at: Option<OffsetDateTime>,
}

const INVOICE: &str = "SELECT i.id, i.code, i.foreign_id, i.details->>'number' AS number,
        i.details->>'due_date' AS due_date, i.title, i.created_by, i.created_at, c.public_id,
        c.customer->>'name' AS name, coalesce(i.email, c.customer->>'email') AS email, c.amount,
        c.currency_id, c.coin_id, c.status, c.flags, c.resolution, c.paid_at,
        (SELECT sum(r.amount) FROM receipts r
         WHERE r.charge_id = c.id AND r.coin_id = c.coin_id AND r.state IN ('seen', 'final')
        ) AS received
    FROM invoices i JOIN charges c ON c.id = i.charge_id WHERE i.merchant_id = ";

/// Invoices of the merchant at the cursor, newest first; up to `limit`. `today` tells what is
/// overdue.
pub(super) async fn list(
    pool: &PgPool,
    merchant_id: i64,
    selection: &InvoiceSelection,
    cursor: &Cursor,
    limit: i64,
    today: Date,
) -> Result<Vec<InvoiceRecord>> {
    let mut query = QueryBuilder::<Postgres>::new(INVOICE);
    query.push_bind(merchant_id);
    push_selection(&mut query, selection, today);
    let newest_first = match cursor {
        Cursor::Newest => true,
        Cursor::Before(code) => {
            push_anchor(&mut query, "<", merchant_id, code);
            true
        }
        Cursor::After(code) => {
            push_anchor(&mut query, ">", merchant_id, code);
            false
        }
    };
    query.push(if newest_first {
        " ORDER BY i.id DESC"
    } else {
        " ORDER BY i.id"
    });
    query.push(" LIMIT ").push_bind(limit);
    let mut rows: Vec<InvoiceRecord> = query.build_query_as().fetch_all(pool).await?;
    if !newest_first {
        rows.reverse();
    }
    Ok(rows)
}

fn push_anchor(query: &mut QueryBuilder<Postgres>, comparison: &str, merchant_id: i64, code: &str) {
    query.push(" AND i.id ").push(comparison);
    query
        .push(" (SELECT id FROM invoices WHERE merchant_id = ")
        .push_bind(merchant_id);
    query
        .push(" AND code = ")
        .push_bind(code.to_owned())
        .push(")");
}

fn push_selection(query: &mut QueryBuilder<Postgres>, selection: &InvoiceSelection, today: Date) {
    match selection.status {
        None => {}
        Some(StatusPick::Refunded) => {
            query.push(" AND c.resolution = 'refunded'");
        }
        Some(StatusPick::Overdue) => {
            // ISO dates compare as text.
            query
                .push(" AND c.status IN ('created', 'pending') AND i.details->>'due_date' < ")
                .push_bind(today.to_string());
        }
        Some(StatusPick::Charge(status)) => {
            query
                .push(" AND c.resolution <> 'refunded' AND c.status = ")
                .push_bind(status.word());
        }
    }
    if let Some(from) = selection.created_from {
        query.push(" AND i.created_at >= ").push_bind(from);
    }
    if let Some(until) = selection.created_until {
        query.push(" AND i.created_at < ").push_bind(until);
    }
    if !selection.search.is_empty() {
        query.push(" AND strpos(lower(concat_ws(' ', i.code, i.foreign_id, i.title, c.public_id,");
        query.push(" c.customer->>'name', c.customer->>'email')), lower(");
        query.push_bind(selection.search.clone()).push(")) > 0");
    }
}

pub(super) async fn any(pool: &PgPool, merchant_id: i64) -> Result<bool> {
    Ok(
        sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM invoices WHERE merchant_id = $1)")
            .bind(merchant_id)
            .fetch_one(pool)
            .await?,
    )
}

pub(super) async fn find(
    pool: &PgPool,
    merchant_id: i64,
    code: &str,
) -> Result<Option<InvoiceRecord>> {
    let mut query = QueryBuilder::<Postgres>::new(INVOICE);
    query.push_bind(merchant_id);
    query.push(" AND i.code = ").push_bind(code.to_owned());
    Ok(query.build_query_as().fetch_optional(pool).await?)
}
