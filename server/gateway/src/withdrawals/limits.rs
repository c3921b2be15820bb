use domain::money::{Money, Rounding, convert};
use rust_decimal::Decimal;
use sqlx::PgConnection;
use time::OffsetDateTime;

use super::{NewWithdrawal, limit_store as store};
use crate::{Gateway, Result};

impl Gateway {
    /// Whether a person has to approve this withdrawal: it is above what one may be, or with all the
    /// others of its day (UTC, instance clock) above what they may be worth together.
    ///
    /// The day is counted in euros, so that an exchange on the way is no way around it. The caller
    /// has locked the merchant.
    pub(super) async fn is_over_limit(
        &self,
        conn: &mut PgConnection,
        new: &NewWithdrawal,
        now: OffsetDateTime,
    ) -> Result<bool> {
        let limits = store::limits(conn, new.merchant_id).await?;
        if is_above(limits.each, new.amount) {
            return Ok(true);
        }
        if limits.daily.is_none() {
            return Ok(false);
        }
        let midnight = now.date().midnight().assume_utc();
        let mut asked =
            store::asked_since(conn, self.currencies(), new.merchant_id, midnight).await?;
        asked.push(new.amount);
        let euro = self.euro()?;
        let mut total = Money::zero(euro);
        for amount in asked {
            let mid = self.mid(conn, amount.currency(), euro, now).await?;
            let worth = mid.and_then(|mid| convert(amount, mid.rate, euro, Rounding::Up));
            let Some(sum) = worth.and_then(|worth| total.checked_add(worth)) else {
                // What nobody can value, a person looks at.
                return Ok(true);
            };
            total = sum;
        }
        Ok(is_above(limits.daily, total))
    }
}

/// A limit in whole units of the amount's currency; one beyond what the ledger holds limits nothing.
fn is_above(limit: Option<Decimal>, amount: Money) -> bool {
    let scale = u32::from(amount.currency().scale);
    limit
        .and_then(|whole| whole.checked_mul(Decimal::from(10u64.checked_pow(scale)?)))
        .is_some_and(|limit| amount.units() > crate::ledger::units(limit))
}
