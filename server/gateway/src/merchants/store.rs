use sqlx::PgPool;

use super::Checked;
use crate::Result;

/// False when there is no such merchant.
pub(super) async fn update_policy(
    pool: &PgPool,
    merchant_id: i64,
    policy: &Checked,
) -> Result<bool> {
    let updated = sqlx::query(
        "UPDATE merchants SET tolerance = coalesce($2, tolerance),
             expiry_minutes = coalesce($3, expiry_minutes), late_policy = coalesce($4, late_policy),
             withdrawal_limit = coalesce($5, withdrawal_limit), payout_limit = coalesce($6, payout_limit)
         WHERE id = $1",
    )
    .bind(merchant_id)
    .bind(policy.tolerance)
    .bind(policy.expiry_minutes)
    .bind(policy.late_policy)
    .bind(policy.withdrawal_limit)
    .bind(policy.payout_limit)
    .execute(pool)
    .await?
    .rows_affected();
    Ok(updated == 1)
}
