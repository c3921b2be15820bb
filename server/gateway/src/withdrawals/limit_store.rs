//! The limits of a merchant's withdrawals, what counts against them, and who may decide.

use domain::money::{CurrencyId, Money};
use rust_decimal::Decimal;
use sqlx::PgConnection;
use time::OffsetDateTime;

use crate::Result;
use crate::currencies::Currencies;
use crate::ledger::units;

/// By the index `operations_withdrawn`: what else the merchant does, and did before, is not read.
const ASKED_SINCE: &str = "
    SELECT sent_currency_id, sum(requested_amount) FROM operations
    WHERE merchant_id = $1 AND kind IN ('withdrawal', 'withdrawal_exchange')
      AND created_at >= $2 AND status <> 'cancelled'
    GROUP BY sent_currency_id";

/// Above which a person has to approve a merchant's withdrawal.
pub(super) struct Limits {
    /// Of one withdrawal, in whole units of its currency, whichever that is.
    pub(super) each: Option<Decimal>,
    /// Of all of a day together, in whole euros.
    pub(super) daily: Option<Decimal>,
}

pub(super) async fn limits(conn: &mut PgConnection, merchant_id: i64) -> Result<Limits> {
    let (each, daily) = sqlx::query_as(
        "SELECT withdrawal_limit, withdrawal_daily_limit FROM merchants WHERE id = $1",
    )
    .bind(merchant_id)
    .fetch_one(conn)
    .await?;
    Ok(Limits { each, daily })
}

/// What was asked for since then and not called off, by currency.
pub(super) async fn asked_since(
    conn: &mut PgConnection,
    currencies: &Currencies,
    merchant_id: i64,
    since: OffsetDateTime,
) -> Result<Vec<Money>> {
    let rows: Vec<(CurrencyId, Decimal)> = sqlx::query_as(ASKED_SINCE)
        .bind(merchant_id)
        .bind(since)
        .fetch_all(conn)
        .await?;
    rows.into_iter()
        .map(|(currency, total)| Ok(Money::from_units(units(total), currencies.known(currency)?)))
        .collect()
}

/// Whether anybody but this user could approve: an active merchant user or manager of the merchant,
/// or an admin.
pub(super) async fn other_approvers(
    conn: &mut PgConnection,
    operation_id: i64,
    user_id: Option<i64>,
) -> Result<bool> {
    Ok(sqlx::query_scalar(
        "SELECT EXISTS (
             SELECT 1 FROM users u, operations o
             WHERE o.id = $1 AND u.status = 'active' AND u.id IS DISTINCT FROM $2
               AND (u.role = 'admin'
                    OR (u.role = 'merchant' AND u.merchant_id = o.merchant_id)
                    OR (u.role = 'manager' AND EXISTS (
                            SELECT 1 FROM merchant_managers m
                            WHERE m.merchant_id = o.merchant_id AND m.user_id = u.id))))",
    )
    .bind(operation_id)
    .bind(user_id)
    .fetch_one(conn)
    .await?)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::Value;
    use sqlx::{AssertSqlSafe, PgPool};

    use super::*;

    /// Fails when each withdrawal reads all that the merchant ever did.
    #[sqlx::test(migrations = "../../migrations")]
    async fn what_counts_against_a_limit_is_found_by_its_index(pool: PgPool) {
        let mut conn = pool.acquire().await.unwrap();
        // The table is empty, so reading all of it would cost less.
        sqlx::query("SET enable_seqscan = off")
            .execute(&mut *conn)
            .await
            .unwrap();
        let explain = format!("EXPLAIN (FORMAT JSON) {ASKED_SINCE}");
        let plan: Value = sqlx::query_scalar(AssertSqlSafe(explain))
            .bind(1_i64)
            .bind(OffsetDateTime::UNIX_EPOCH)
            .fetch_one(&mut *conn)
            .await
            .unwrap();
        let condition = condition_of(&plan, "operations_withdrawn");
        let condition = condition.unwrap_or_else(|| panic!("{plan}"));
        for column in ["merchant_id", "created_at"] {
            assert!(condition.contains(column), "{column}: {condition}");
        }
    }

    /// By what an index is searched, anywhere in a plan.
    fn condition_of<'p>(plan: &'p Value, index: &str) -> Option<&'p str> {
        match plan {
            Value::Array(all) => all.iter().find_map(|each| condition_of(each, index)),
            Value::Object(node) if node.get("Index Name").is_some_and(|name| name == index) => {
                node.get("Index Cond")?.as_str()
            }
            Value::Object(node) => node.values().find_map(|each| condition_of(each, index)),
            _ => None,
        }
    }
}
