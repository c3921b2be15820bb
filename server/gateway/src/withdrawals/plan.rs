use domain::money::{Currency, CurrencyKind, Money};
use domain::withdrawal::{Amounts, FeeTerms, exchanged, plain};
use sqlx::PgConnection;
use time::OffsetDateTime;

use super::{NewWithdrawal, WithdrawalReview};
use crate::chain::address::parse_address;
use crate::exchange::{Priced, exchange_fee};
use crate::operations::FeeKind;
use crate::terms::Terms;
use crate::{Error, Gateway, Result, addresses, wallets};

/// Everything decided about a withdrawal before anything is held.
pub(super) struct Plan {
    pub(super) amounts: Amounts,
    /// With an exchange.
    pub(super) priced: Option<Priced>,
    /// Canonical.
    pub(super) address: String,
    /// Row of `chain_addresses`, when it is ours.
    pub(super) internal: Option<i64>,
    pub(super) needs_approval: bool,
    pub(super) confirmations_required: u32,
}

impl Gateway {
    /// Works out what a withdrawal would do. Nothing is held.
    ///
    /// # Errors
    /// As [`Gateway::request_withdrawal`].
    pub async fn review_withdrawal(&self, new: &NewWithdrawal) -> Result<WithdrawalReview> {
        let mut conn = self.pool().acquire().await?;
        let now = self.clock().now();
        let plan = self.plan_withdrawal(&mut conn, new, now).await?;
        let wallet =
            wallets::store::available(&mut conn, new.merchant_id, new.amount.currency().id).await?;
        if wallet < plan.amounts.held.units() {
            let code = new.amount.currency().code;
            return Err(crate::exchange::shortage(code.as_str(), false, "amount"));
        }
        let fees = [
            (FeeKind::Exchange, plan.amounts.exchange_fee),
            (FeeKind::Withdrawal, plan.amounts.withdrawal_fee),
        ];
        Ok(WithdrawalReview {
            sender_total: plan.amounts.held,
            requested: plan.amounts.requested,
            fees: fees
                .into_iter()
                .filter(|(_, fee)| fee.is_positive())
                .collect(),
            receiver_amount: plan.amounts.sent,
            price: plan.priced.as_ref().map(|priced| priced.price),
            address: plan.address,
            internal: plan.internal.is_some(),
            needs_approval: plan.needs_approval,
        })
    }

    pub(super) async fn plan_withdrawal(
        &self,
        conn: &mut PgConnection,
        new: &NewWithdrawal,
        now: OffsetDateTime,
    ) -> Result<Plan> {
        let (from, coin) = (new.amount.currency(), new.coin());
        let address = self.checked_destination(new, coin)?;
        if !wallets::store::has_currency(conn, new.merchant_id, from.id).await? {
            return Err(Error::invalid(
                "currency",
                "must be a currency you have a wallet in",
            ));
        }
        // Nobody was ever given such an address: what went there would belong to nobody.
        let ours = addresses::store::watched_address(conn, &address).await?;
        if ours.is_some_and(|ours| ours.is_change) {
            return Err(Error::invalid("address", super::OUR_CHANGE));
        }
        let (terms, coin_terms) = self.terms_of_both(conn, from, coin).await?;
        if new.amount < terms.minimum_withdrawal {
            let least = terms.minimum_withdrawal.shown();
            let message = format!("must be at least {least} {}", from.code);
            return Err(Error::invalid("amount", message));
        }
        let (amounts, priced) = self
            .price_at(conn, new.amount, &terms, &coin_terms, now)
            .await?;
        if from.id != coin.id && amounts.sent < coin_terms.minimum_withdrawal {
            let least = coin_terms.minimum_withdrawal.shown();
            let message = format!("must be worth at least {least} {}", coin.code);
            return Err(Error::invalid("amount", message));
        }
        Ok(Plan {
            needs_approval: self.is_over_limit(conn, new, now).await?,
            amounts,
            priced,
            address,
            internal: ours.map(|ours| ours.id),
            confirmations_required: coin_terms.confirmations.max(1),
        })
    }

    /// What a withdrawal of this much moves at the rate of this moment.
    pub(super) async fn price_withdrawal(
        &self,
        conn: &mut PgConnection,
        amount: Money,
        coin: Currency,
        now: OffsetDateTime,
    ) -> Result<(Amounts, Option<Priced>)> {
        let (terms, coin_terms) = self.terms_of_both(conn, amount.currency(), coin).await?;
        self.price_at(conn, amount, &terms, &coin_terms, now).await
    }

    /// The same at terms that are known: those of the amount's currency, and of the coin.
    async fn price_at(
        &self,
        conn: &mut PgConnection,
        amount: Money,
        terms: &Terms,
        coin_terms: &Terms,
        now: OffsetDateTime,
    ) -> Result<(Amounts, Option<Priced>)> {
        let (from, coin) = (amount.currency(), coin_terms.currency);
        let fees = FeeTerms {
            basis_points: terms.withdrawal_fee_basis_points,
            fixed: terms.withdrawal_fee_fixed.units(),
        };
        let (amounts, priced) = if from.id == coin.id {
            (plain(amount, fees), None)
        } else {
            let rate = self
                .pair_rate(conn, from, coin, now)
                .await?
                .ok_or_else(|| {
                    let message = format!("cannot be bought for {} right now", from.code);
                    Error::invalid("convert_to", message)
                })?;
            let points = exchange_fee(terms, coin_terms);
            let amounts = exchanged(amount, rate.price, coin, points, fees);
            let deal = domain::exchange::Deal::sell(amount, rate.price, coin, points);
            let spread = self.settings().spread_basis_points;
            (amounts, deal.map(|deal| rate.priced(deal, spread)))
        };
        let amounts = amounts
            .ok_or_else(|| Error::invalid("amount", "is too small or too large to be sent"))?;
        Ok((amounts, priced))
    }

    /// The address is judged for the coin and its network before anything else is looked at.
    pub(super) fn checked_destination(
        &self,
        new: &NewWithdrawal,
        coin: Currency,
    ) -> Result<String> {
        let chain = match self.chains().get(coin.code.as_str()) {
            Some(chain) if coin.kind == CurrencyKind::Crypto => chain,
            _ => {
                let field = match new.convert_to {
                    Some(_) => "convert_to",
                    None => "currency",
                };
                let message = "must be a coin, or be converted into one with convert_to";
                return Err(Error::invalid(field, message));
            }
        };
        if new.tag.as_deref().is_some_and(|tag| !tag.is_empty()) {
            let message = format!("must be left out: {} addresses have none", coin.code);
            return Err(Error::invalid("tag", message));
        }
        let address = parse_address(chain.params, new.address.trim())
            .map(|address| address.canonical)
            .map_err(|error| {
                let message = format!("must be a valid {} address: {error}", coin.code);
                Error::invalid("address", message)
            })?;
        // Tokens that their own contract holds are nobody's.
        let treasury = chain.payer.treasury();
        if treasury.is_some_and(|treasury| treasury.is_contract(&address)) {
            let message = format!(
                "must be the receiver's: this one is the contract of {}",
                coin.code
            );
            return Err(Error::invalid("address", message));
        }
        Ok(address)
    }
}
