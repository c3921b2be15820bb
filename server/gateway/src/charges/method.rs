use domain::charge::{Event, Quote as FixedQuote, Status};
use domain::money::{Currency, Money, Rounding, convert, mul_div, round_units};
use rust_decimal::Decimal;
use serde_json::json;

use super::needs::Books;
use super::refundable::require_no_refund;
use super::row::{ChargeRow, ReceiptRow, Terms};
use super::{method_store, receipt_store, store, transition};
use crate::ledger::{Log, PAYERS, Unit};
use crate::rates::{self, Quote};
use crate::{Error, Gateway, Result};

/// Who acts on a public page.
const CUSTOMER: &str = "customer";

impl Gateway {
    /// The payer picks a coin: a quote is fixed and, for a coin not picked before, an address taken.
    /// Picking the coin that is fixed already changes nothing, so a double click does no harm.
    ///
    /// # Errors
    /// [`Error::Invalid`] on `method`; [`Error::QuoteUnavailable`]; [`Error::Refused`].
    pub async fn choose_method(&self, public_id: &str, coin_code: &str) -> Result<()> {
        let coin = self.payable_coin(coin_code)?;
        let gateway = self.clone();
        let public_id = public_id.to_owned();
        self.book()
            .commit(move |unit| {
                Box::pin(async move { gateway.pick_coin(unit, &public_id, coin).await })
            })
            .await
    }

    /// The same for a coin that can be paid, inside a unit of work.
    pub(crate) async fn pick_coin(
        &self,
        unit: &mut Unit,
        public_id: &str,
        coin: Currency,
    ) -> Result<()> {
        let mut row = store::lock_by_public_id(unit.conn(), self.currencies(), public_id).await?;
        let receipts = store::receipts_of(unit.conn(), self.currencies(), row.id).await?;
        let now = unit.now();
        let fixed = row
            .terms
            .as_ref()
            .is_some_and(|terms| terms.coin.id == coin.id && now < terms.release_at);
        if fixed && matches!(row.status, Status::Pending | Status::Processing) {
            return Ok(());
        }
        if self.return_to_pick(unit, &row, &receipts, coin).await? {
            return Ok(());
        }
        let minutes = i64::from(row.rate_minutes);
        let mut quote = self
            .quote(unit.conn(), row.amount, coin, minutes, now)
            .await?;
        // A clock that runs from creation is not started again by whoever picks a coin.
        if row.timer && now < row.expires_at {
            quote.release_at = row.expires_at;
        }
        let due = quote.coin_amount.units();
        let event = Event::MethodFixed(fixed_quote(&quote, due));
        // The rule refuses before an address is taken: a flood burns none.
        row.facts(&receipts).apply(&event, now)?;
        self.fix_terms(unit, &mut row, quote, due).await?;
        transition::transition(unit, &mut row, &receipts, &event, None, CUSTOMER).await?;
        Ok(())
    }

    /// "Get a new rate": the same address, and what came already counts.
    pub async fn requote(&self, public_id: &str) -> Result<()> {
        let needs = self.charge_needs(PAYERS, public_id, Books::Nothing).await?;
        let gateway = self.clone();
        let public_id = public_id.to_owned();
        self.book()
            .commit_decision(needs, move |unit| {
                let (gateway, public_id) = (gateway.clone(), public_id.clone());
                Box::pin(async move {
                    let mut row =
                        store::lock_by_public_id(unit.conn(), gateway.currencies(), &public_id)
                            .await?;
                    let receipts =
                        store::receipts_of(unit.conn(), gateway.currencies(), row.id).await?;
                    let Some(coin) = row.terms.as_ref().map(|terms| terms.coin) else {
                        return Err(Error::Conflict("choose how to pay first"));
                    };
                    require_no_refund(unit, &row).await?;
                    let Rest {
                        quote,
                        due,
                        revalued,
                    } = gateway.quote_rest(unit, &row, &receipts, coin).await?;
                    let event = Event::Requoted(fixed_quote(&quote, due));
                    row.facts(&receipts).apply(&event, unit.now())?;
                    for receipt in &revalued {
                        receipt_store::set_value(unit.conn(), receipt).await?;
                    }
                    gateway.fix_terms(unit, &mut row, quote, due).await?;
                    transition::transition(unit, &mut row, &receipts, &event, None, CUSTOMER)
                        .await?;
                    Ok(())
                })
            })
            .await
    }

    /// A coin that was picked before and whose rate still holds is taken up again as it was: going
    /// back and forth neither restarts the clock nor shops for a better rate.
    async fn return_to_pick(
        &self,
        unit: &mut Unit,
        row: &ChargeRow,
        receipts: &[ReceiptRow],
        coin: Currency,
    ) -> Result<bool> {
        let now = unit.now();
        let running = row
            .terms
            .as_ref()
            .is_some_and(|terms| now < terms.release_at);
        let untouched = !receipts.iter().any(|receipt| receipt.state.is_live());
        if row.status != Status::Pending || !running || !untouched {
            return Ok(false);
        }
        let Some(known) = method_store::find_method(unit.conn(), row.id, coin).await? else {
            return Ok(false);
        };
        if now >= known.release_at {
            return Ok(false);
        }
        method_store::restore_method(unit.conn(), row.id, coin).await?;
        let mut row = store::find(unit.conn(), self.currencies(), &row.public_id).await?;
        let event = Event::ClockAdvanced;
        transition::transition(unit, &mut row, receipts, &event, None, CUSTOMER).await?;
        Ok(true)
    }

    pub(crate) fn payable_coin(&self, code: &str) -> Result<Currency> {
        self.currencies()
            .enabled_by_code(code)
            .filter(|currency| self.chains().get(currency.code.as_str()).is_some())
            .ok_or_else(|| Error::invalid("method", "must be one of the offered ways to pay"))
    }

    /// Quotes what is still missing. Receipts that came in time keep the value they came under; the
    /// rest of the receipts count at the new price.
    async fn quote_rest(
        &self,
        unit: &mut Unit,
        row: &ChargeRow,
        receipts: &[ReceiptRow],
        coin: Currency,
    ) -> Result<Rest> {
        let (now, minutes) = (unit.now(), i64::from(row.rate_minutes));
        let whole = self
            .quote(unit.conn(), row.amount, coin, minutes, now)
            .await?;
        let mut came = 0;
        let mut worth = 0;
        let mut revalued = Vec::new();
        let live = receipts
            .iter()
            .filter(|r| r.state.is_live() && r.coin.id == coin.id);
        for receipt in live {
            came += receipt.amount;
            let in_time = row
                .terms
                .as_ref()
                .is_some_and(|terms| receipt.first_seen_at < terms.release_at);
            worth += match receipt.value {
                Some(value) if in_time => value,
                _ => {
                    let coins = Money::from_units(receipt.amount, coin);
                    let value = value_at(coins, whole.price, row.amount.currency());
                    // From here on it counts as having come under this quote.
                    revalued.push(ReceiptRow {
                        value: Some(value),
                        ..receipt.clone()
                    });
                    value
                }
            };
        }
        let rest = row.amount.units() - worth;
        if rest <= 0 {
            // Everything is here at today's rate. Only the share worth the amount is due: what came
            // beyond it stays the payer's.
            let due = mul_div(came, row.amount.units(), worth, Rounding::Up)
                .and_then(|units| round_units(units, coin, Rounding::Up))
                .map_or(came, |units| units.min(came));
            return Ok(Rest {
                quote: whole,
                due,
                revalued,
            });
        }
        let rest = Money::from_units(rest, row.amount.currency());
        let quote = self.quote(unit.conn(), rest, coin, minutes, now).await?;
        let due = came + quote.coin_amount.units();
        Ok(Rest {
            quote,
            due,
            revalued,
        })
    }

    async fn fix_terms(
        &self,
        unit: &mut Unit,
        row: &mut ChargeRow,
        quote: Quote,
        due: i128,
    ) -> Result<()> {
        let now = unit.now();
        rates::store::insert_quote(unit.conn(), row.merchant_id, &quote).await?;
        let known = method_store::find_method(unit.conn(), row.id, quote.coin).await?;
        let (address_id, address) = match known {
            Some(known) => (known.address_id, known.address),
            None => {
                // A chain's row gives out addresses, and no group has it.
                unit.require_all()?;
                let taken = self
                    .chains()
                    .take_address(unit.conn(), quote.coin, row.merchant_id, now)
                    .await?;
                (taken.id, taken.address)
            }
        };
        let terms = Terms {
            quote_id: quote.id,
            coin: quote.coin,
            due,
            address,
            price: quote.price,
            mid: quote.mid,
            spread_basis_points: quote.spread_basis_points,
            sources: quote.sources,
            fixed_at: quote.fixed_at,
            release_at: quote.release_at,
        };
        method_store::upsert_method(unit.conn(), row.id, address_id, &terms, now).await?;
        let data = json!({
            "coin": terms.coin.code.as_str(),
            "due": Money::from_units(due, terms.coin).shortest(),
            "price": terms.price.normalize().to_string(),
            "mid": terms.mid.normalize().to_string(),
            "spread_basis_points": terms.spread_basis_points,
            "sources": terms.sources,
            "address": terms.address,
            "release_at": terms.release_at.unix_timestamp(),
        });
        let line = store::append_timeline(unit.conn(), row.id, now, "quote.fixed", &data).await?;
        unit.note_line(Log::Timeline, line, now);
        row.terms = Some(terms);
        Ok(())
    }
}

fn value_at(coins: Money, price: Decimal, to: Currency) -> i128 {
    if coins.currency().id == to.id {
        return coins.units();
    }
    convert(coins, price, to, Rounding::Down).map_or(0, |money| money.units())
}

/// A new quote over what is still missing.
struct Rest {
    quote: Quote,
    /// In all, with what came before.
    due: i128,
    /// Late receipts with the value they now count at.
    revalued: Vec<ReceiptRow>,
}

fn fixed_quote(quote: &Quote, due: i128) -> FixedQuote {
    FixedQuote {
        coin: quote.coin.id,
        due,
        release_at: quote.release_at,
    }
}
