use std::sync::Arc;

use domain::futures::WINDOW;
use domain::ledger::template::{futures_held, house, primary_wallet};
use domain::ledger::{AccountKind, LedgerError};
use domain::money::Money;

use super::store::{self, NewRow};
use super::{FuturesState, FuturesView, NewFutures, PromiseTerms, void};
use crate::addresses::DepositAddressView;
use crate::exchange::{Purpose, quote_store};
use crate::idempotency::{Answer, Once};
use crate::ledger::{Needs, Row, Unit, with_ids};
use crate::{Error, Gateway, Result};

impl Gateway {
    /// Promises `receiver_amount` for one deposit of exactly the amount answered, seen within the
    /// window. A new promise for an address replaces the one before (`80`, Processing), unless the
    /// deposit of that one is there already: then it stands beside it.
    ///
    /// # Errors
    /// [`Error::Invalid`] on `address`, on the currencies when they are not the address's, on
    /// `receiver_amount` above 10 000 EUR or what we can deliver.
    pub async fn confirm_futures(
        &self,
        new: NewFutures,
        once: Option<Once>,
        render: impl Fn(&FuturesView) -> (u16, Vec<u8>) + Send + Sync + 'static,
    ) -> Result<Answer> {
        self.confirm_futures_at(new, None, once, render).await
    }

    /// The same at the terms that were shown, and at no others (ux §1.8).
    ///
    /// # Errors
    /// Those of [`Self::confirm_futures`]; [`Error::Invalid`] on `price` when the terms are others
    /// by now: nothing is held then, and the promise before stands as it did.
    pub async fn confirm_futures_at(
        &self,
        new: NewFutures,
        shown: Option<PromiseTerms>,
        once: Option<Once>,
        render: impl Fn(&FuturesView) -> (u16, Vec<u8>) + Send + Sync + 'static,
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
        let needs = Needs {
            owner: address.merchant_id,
            merchants: Vec::new(),
            rows: vec![Row::Address(address.id)],
            accounts: vec![
                house(AccountKind::Liquidity, target.id),
                primary_wallet(address.merchant_id, target.id),
            ],
        };
        let (gateway, code, render) = (self.clone(), new.receiver.code, Arc::new(render));
        let made = self
            .book()
            .commit_decision(needs, move |unit| {
                let (gateway, address) = (gateway.clone(), address.clone());
                let (once, render) = (once.clone(), render.clone());
                Box::pin(async move {
                    if let Some(first) = unit.claim(once.as_ref()).await? {
                        return Ok(first);
                    }
                    let view = gateway.promise(unit, address, new.receiver_amount).await?;
                    if shown.is_some_and(|shown| shown != PromiseTerms::of(&view)) {
                        // Leaving the unit with an error undoes the promise.
                        return Err(Error::invalid("price", "has changed since it was shown"));
                    }
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
        let now = unit.now();
        // One promise at a time waits at an address: its row makes them follow each other. One whose
        // deposit came stays with that.
        store::lock_address(unit.conn(), address.id).await?;
        let running = store::lock_running(unit.conn(), self.currencies(), address.id).await?;
        for before in running.iter().filter(|row| row.state == FuturesState::Open) {
            void(unit, before, "replaced").await?;
        }
        let priced = self
            .price_promise(unit.conn(), &address, wanted, now)
            .await?;
        let (deal, price, release_at) = (priced.deal, priced.price, now + WINDOW);
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
