//! Deposit addresses: a merchant's own, reusable for ever (`30-processing-api.md`, addresses/take).
//!
//! Invariant: the same merchant, coin, target and reference name the same address for ever, and no
//! address is anybody else's.

pub(crate) mod store;

use domain::money::{Currency, CurrencyKind};
use time::OffsetDateTime;

use crate::chain::address::parse_address;
use crate::idempotency::{Answer, Once};
use crate::ledger::Unit;
use crate::{Error, Gateway, Result};

/// Longest label, characters.
const LABEL_CHARS_MAX: usize = 255;

/// A deposit address and whose it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DepositAddressView {
    pub id: i64,
    pub merchant_id: i64,
    pub coin: Currency,
    /// What deposits are exchanged into on arrival.
    pub convert_to: Option<Currency>,
    /// Canonical text.
    pub address: String,
    pub foreign_id: String,
    pub label: String,
    pub created_at: OffsetDateTime,
    /// Row of `chain_addresses`, what chain outputs refer to.
    pub(crate) chain_address_id: i64,
}

/// What names an address; the edge has checked the reference's form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewAddress {
    pub merchant_id: i64,
    pub coin: Currency,
    pub convert_to: Option<Currency>,
    pub foreign_id: String,
}

impl Gateway {
    /// Gives the merchant the address these arguments name, a new one the first time; `render` hears
    /// whether it is new.
    ///
    /// # Errors
    /// [`Error::Invalid`] on `currency` when the coin has no chain here, on `convert_to` when it is
    /// the same or there is no rate between the two.
    pub async fn take_deposit_address(
        &self,
        new: NewAddress,
        once: Option<Once>,
        render: impl FnOnce(&DepositAddressView, bool) -> (u16, Vec<u8>) + Send + 'static,
    ) -> Result<Answer> {
        let gateway = self.clone();
        self.book()
            .commit(move |unit| {
                Box::pin(async move {
                    if let Some(first) = unit.claim(once.as_ref()).await? {
                        return Ok(first);
                    }
                    let (view, is_new) = gateway.take_in(unit, &new).await?;
                    let answer = Answer::fresh(render(&view, is_new));
                    unit.remember(once.as_ref(), &answer).await?;
                    Ok(answer)
                })
            })
            .await
    }

    async fn take_in(
        &self,
        unit: &mut Unit,
        new: &NewAddress,
    ) -> Result<(DepositAddressView, bool)> {
        if new.coin.kind != CurrencyKind::Crypto || self.chains().of(new.coin).is_err() {
            return Err(Error::invalid(
                "currency",
                "must be a coin that can be received here",
            ));
        }
        let now = unit.now();
        // Two takes with the same arguments must not both find nothing.
        store::lock_merchant(unit.conn(), new.merchant_id).await?;
        if let Some(known) = store::find_by_key(unit.conn(), self.currencies(), new).await? {
            return Ok((known, false));
        }
        if let Some(target) = new.convert_to {
            self.require_pair(unit, new.coin, target).await?;
        }
        let taken = self
            .chains()
            .take_address(unit.conn(), new.coin, new.merchant_id, now)
            .await?;
        store::insert(unit.conn(), new, taken.id, now).await?;
        let taken = store::find_by_key(unit.conn(), self.currencies(), new)
            .await?
            .ok_or(Error::NotFound)?;
        Ok((taken, true))
    }

    async fn require_pair(&self, unit: &mut Unit, coin: Currency, target: Currency) -> Result<()> {
        if coin.id == target.id {
            return Err(Error::invalid("convert_to", "must differ from the coin"));
        }
        let now = unit.now();
        match self.mid(unit.conn(), coin, target, now).await? {
            Some(_) => Ok(()),
            None => Err(Error::invalid(
                "convert_to",
                "must be a currency this coin can be exchanged into",
            )),
        }
    }

    /// One of the merchant's deposit addresses, by its text.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a text that is no address, unknown ones and those of others.
    pub async fn find_deposit_address(
        &self,
        merchant_id: i64,
        address: &str,
    ) -> Result<DepositAddressView> {
        let spellings: Vec<String> = self
            .chains()
            .all()
            .iter()
            .filter_map(|chain| parse_address(chain.params, address.trim()).ok())
            .map(|address| address.canonical)
            .collect();
        let mut conn = self.pool().acquire().await?;
        store::find_by_text(&mut conn, self.currencies(), merchant_id, &spellings)
            .await?
            .ok_or(Error::NotFound)
    }

    /// Names an address for people.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Invalid`] on `label` when it is longer than 255 characters.
    pub async fn label_deposit_address(
        &self,
        merchant_id: i64,
        id: i64,
        label: &str,
    ) -> Result<()> {
        let label = domain::text::one_line(label);
        if label.chars().count() > LABEL_CHARS_MAX {
            return Err(Error::invalid("label", "must be at most 255 characters"));
        }
        if store::set_label(self.pool(), merchant_id, id, &label).await? {
            Ok(())
        } else {
            Err(Error::NotFound)
        }
    }
}
