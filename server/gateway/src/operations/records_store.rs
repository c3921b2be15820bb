//! The SQL of the list of operations and invoices. Ids of both come out of one sequence, so they are
//! unique in it and the newest is the highest.

use sqlx::{PgConnection, Postgres, QueryBuilder};

use super::OperationQuery;
use super::records::InvoiceFilter;
use super::store::filter;
use crate::Result;

/// Appends the union; of invoices only merchant, currency and reference of `asked` count.
fn union(
    query: &mut QueryBuilder<Postgres>,
    asked: &OperationQuery,
    invoices: Option<&InvoiceFilter>,
) {
    query.push("(SELECT o.id, false AS is_invoice FROM operations o");
    filter(query, asked);
    if let Some(invoices) = invoices {
        query.push(
            " UNION ALL SELECT i.id, true FROM invoices i JOIN charges c ON c.id = i.charge_id
             WHERE i.merchant_id = ",
        );
        query.push_bind(asked.merchant_id);
        if !invoices.statuses.is_empty() {
            query.push(" AND c.status = ANY(");
            query.push_bind(invoices.statuses.clone());
            query.push(")");
        }
        if let Some(currency) = asked.currency {
            query.push(" AND (c.currency_id = ");
            query.push_bind(currency.id);
            query.push(" OR c.coin_id = ");
            query.push_bind(currency.id);
            query.push(")");
        }
        if let Some(foreign_id) = &asked.foreign_id {
            query.push(" AND i.foreign_id = ");
            query.push_bind(foreign_id.clone());
        }
    }
    query.push(") records");
}

pub(super) async fn count(
    conn: &mut PgConnection,
    asked: &OperationQuery,
    invoices: Option<&InvoiceFilter>,
) -> Result<i64> {
    let mut query = QueryBuilder::new("SELECT count(*) FROM ");
    union(&mut query, asked, invoices);
    Ok(query.build_query_scalar().fetch_one(conn).await?)
}

/// Id, and whether it is an invoice; newest first.
pub(super) async fn page(
    conn: &mut PgConnection,
    asked: &OperationQuery,
    invoices: Option<&InvoiceFilter>,
) -> Result<Vec<(i64, bool)>> {
    let mut query = QueryBuilder::new("SELECT id, is_invoice FROM ");
    union(&mut query, asked, invoices);
    query.push(" ORDER BY id DESC LIMIT ");
    query.push_bind(asked.limit);
    query.push(" OFFSET ");
    query.push_bind((asked.page - 1).saturating_mul(asked.limit));
    Ok(query.build_query_as().fetch_all(conn).await?)
}
