#![allow(clippy::unwrap_used)]

use serde_json::Value;
use sqlx::{AssertSqlSafe, PgPool, raw_sql};

use super::by_reference;

/// Fails when a column of the index is left out: then each look reads every operation that the merchant has.
#[sqlx::test(migrations = "../../migrations")]
async fn a_reference_is_looked_up_by_all_its_index_has(pool: PgPool) {
    let mut conn = pool.acquire().await.unwrap();
    // The table is empty, so reading all of it would cost less.
    raw_sql("SET enable_seqscan = off; SET enable_bitmapscan = off")
        .execute(&mut *conn)
        .await
        .unwrap();
    let explain = format!("EXPLAIN (FORMAT JSON) {}", by_reference());
    let plan: Value = sqlx::query_scalar(AssertSqlSafe(explain))
        .bind(1_i64)
        .bind("withdrawal")
        .bind("a reference")
        .fetch_one(&mut *conn)
        .await
        .unwrap();
    let node = &plan[0]["Plan"];
    assert_eq!(node["Index Name"], "operations_reference", "{node}");
    let condition = node["Index Cond"].as_str().unwrap();
    for column in ["merchant_id", "withdrawal_exchange", "foreign_id"] {
        assert!(condition.contains(column), "{column}: {condition}");
    }
}
