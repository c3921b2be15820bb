use std::collections::{BTreeSet, HashMap};

use domain::money::{Currency, CurrencyId};
use rust_decimal::Decimal;
use sqlx::PgConnection;
use time::OffsetDateTime;

use crate::{Error, Gateway, Result};

/// Pairs of currencies, `(from, to)`.
pub(super) type Pairs = BTreeSet<(CurrencyId, CurrencyId)>;

/// The mid rates that decisions may need: each pair was asked for once, before any of them is taken, so
/// all that are taken together are judged by the same.
#[derive(Debug)]
pub(super) struct Mids(HashMap<(CurrencyId, CurrencyId), Option<Decimal>>);

impl Mids {
    pub(super) async fn read(
        gateway: &Gateway,
        conn: &mut PgConnection,
        pairs: &Pairs,
        now: OffsetDateTime,
    ) -> Result<Self> {
        let known = gateway.mids(conn, pairs, now).await?;
        let rates = pairs
            .iter()
            .map(|pair| (*pair, known.get(pair).copied()))
            .collect();
        Ok(Self(rates))
    }

    /// Units of `to` for one `from`; `None` when there is no fresh rate.
    ///
    /// # Errors
    /// [`Error::Internal`] when nobody asked for the pair: that it has no rate must not be concluded then.
    pub(super) fn rate(&self, from: Currency, to: Currency) -> Result<Option<Decimal>> {
        self.0
            .get(&(from.id, to.id))
            .copied()
            .ok_or_else(|| Error::Internal(format!("no rate of {} was read", from.code)))
    }
}
