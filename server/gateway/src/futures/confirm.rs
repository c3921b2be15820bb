use domain::exchange::Deal;
use domain::futures::{LIMIT_EUROS, WINDOW};
use domain::ledger::LedgerError;
use domain::ledger::template::futures_held;
use domain::money::Money;

use super::store::{self, NewRow};
use super::{FuturesState, FuturesView, NewFutures, void};
use crate::addresses::DepositAddressView;
use crate::exchange::{Purpose, quote_store};
use crate::idempotency::{Answer, Once};
use crate::ledger::{Unit, with_ids};
use crate::{Error, Gateway, Result};

impl Gateway {
    /// Promises `receiver_amount` for one deposit of exactly the amount answered, seen within the
    /// window. A new promise for an address replaces the one before (`80`, Processing).
    ///
    /// # Errors
    /// [`Error::Invalid`] on `address`, on the currencies when they are not the address's, on
    /// `receiver_amount` above 10 000 EUR or what we can deliver; [`Error::Conflict`] while a deposit
    /// of the promise before waits for its confirmations.
    pub async fn confirm_futures(
        &self,
        new: NewFutures,
        once: Option<Once>,
        render: impl FnOnce(&FuturesView) -> (u16, Vec<u8>) + Send + 'static,
    ) -> Result<Answer> {
        let (address, target) = self
            .converting_address(new.merchant_id, &new.address)
            .await?;
        if new.sender.id != address.coin.id {
            let message = format!("must be {}, which this address receives", address.coin.code);
            return Err(Error::invalid("sender_currency", message));
        }
        if new.receiver.id != target.id {
            let message = format!("must be {}, which this address converts to", target.code);
            return Err(Error::invalid("receiver_currency", message));
        }
        let (gateway, code) = (self.clone(), new.receiver.code);
        let made = self
            .book()
            .commit(move |unit| {
                Box::pin(async move {
                    if let Some(first) = unit.claim(once.as_ref()).await? {
                        return Ok(first);
                    }
                    let view = gateway.promise(unit, address, new.receiver_amount).await?;
                    let answer = Answer::fresh(render(&view));
                    unit.remember(once.as_ref(), &answer).await?;
                    Ok(answer)
                })
            })
            .await;
        match made {
            Err(Error::Ledger(LedgerError::InsufficientFunds { .. })) => Err(Error::invalid(
                "receiver_amount",
                format!("is more {code} than can be promised right now"),
            )),
            other => other,
        }
    }

    async fn promise(
        &self,
        unit: &mut Unit,
        address: DepositAddressView,
        wanted: Money,
    ) -> Result<FuturesView> {
        let (now, receiver) = (unit.now(), wanted.currency());
        // One promise at a time per address: the address's row makes them follow each other.
        store::lock_address(unit.conn(), address.id).await?;
        if let Some(before) =
            store::lock_running(unit.conn(), self.currencies(), address.id).await?
        {
            if before.state == FuturesState::Matched {
                return Err(Error::Conflict(
                    "a deposit for the promise before waits for its confirmations",
                ));
            }
            void(unit, &before, "replaced").await?;
        }
        let limit = self
            .euros_in(unit.conn(), LIMIT_EUROS, receiver, now)
            .await?
            .ok_or_else(|| Error::invalid("receiver_currency", "has no rate right now"))?;
        if wanted > limit {
            let message = format!("must be worth at most {LIMIT_EUROS} EUR");
            return Err(Error::invalid("receiver_amount", message));
        }
        let rate = self
            .pair_rate(unit.conn(), address.coin, receiver, now)
            .await?
            .ok_or_else(|| Error::invalid("receiver_currency", "has no rate right now"))?;
        let fee = self
            .exchange_fee(unit.conn(), address.coin, receiver)
            .await?;
        let deal = Deal::buy(wanted, rate.price, address.coin, fee).ok_or_else(|| {
            Error::invalid(
                "receiver_amount",
                "is too small or too large to be exchanged",
            )
        })?;
        let minimum = self
            .terms_of(unit.conn(), address.coin)
            .await?
            .minimum_deposit_exchange;
        if deal.sender < minimum {
            let message = format!(
                "must be worth at least {} {}, the smallest deposit that is exchanged",
                minimum.shown(),
                address.coin.code
            );
            return Err(Error::invalid("receiver_amount", message));
        }
        let (release_at, price) = (now + WINDOW, rate.price);
        let priced = rate.priced(deal, self.settings().spread_basis_points);
        let purpose = Purpose::Futures;
        let merchant = address.merchant_id;
        quote_store::insert(unit.conn(), merchant, purpose, &priced, now, release_at).await?;
        let id = store::next_id(unit.conn()).await?;
        let (entry, hold_id) = with_ids(|ids| futures_held(ids, merchant, id, wanted));
        unit.post(entry);
        let row = NewRow {
            id,
            merchant_id: merchant,
            deposit_address_id: address.id,
            deal,
            price,
            quote_id: priced.id,
            hold_id,
            fixed_at: now,
            release_at,
        };
        store::insert(unit.conn(), &row).await?;
        Ok(FuturesView {
            id,
            address,
            sender_amount: deal.sender,
            receiver_amount: deal.gross,
            fee: deal.fee,
            price,
            fixed_at: now,
            release_at,
            state: FuturesState::Open,
            void_reason: None,
            operation_id: None,
        })
    }
}
