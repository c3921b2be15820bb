use std::collections::BTreeSet;
use std::sync::Arc;

use domain::ledger::template::{exchange, house, primary_wallet};
use domain::ledger::{AccountKind, LedgerError};
use sha2::{Digest, Sha256};
use time::OffsetDateTime;

use super::pricing::shortage;
use super::{
    ExchangeQuote, ExchangeRequest, FIX_PERIOD, Given, NewExchange, Pricing, Purpose, quote_store,
};
use crate::error::violated_constraint;
use crate::idempotency::{Answer, Once};
use crate::ledger::{Needs, Unit, with_ids};
use crate::operations::{
    NewOperation, OperationKind, OperationStatus, OperationView, events_of_instant, exchange_store,
    exchange_view, store,
};
use crate::{Error, Gateway, Result, instance};

/// How often a request is tried again when another one with the same reference or quote was first.
const TRIES: u32 = 3;

impl Gateway {
    /// Exchanges between two wallets of the merchant, at once and whole.
    ///
    /// The same reference with the same wish gives the first answer again.
    ///
    /// # Errors
    /// [`Error::Invalid`] on `price` when no standing quote gave it, on `sender_amount` (too little,
    /// too small), on the currencies, on `foreign_id` when it names another exchange.
    pub async fn exchange(
        &self,
        new: NewExchange,
        once: Option<Once>,
        render: impl Fn(&OperationView) -> (u16, Vec<u8>) + Send + Sync + 'static,
    ) -> Result<Answer> {
        let wish = Arc::new(Wish {
            gateway: self.clone(),
            new,
            once,
            render,
        });
        let mut last = Error::Conflict("this exchange is being made by another request");
        for _ in 0..TRIES {
            let again = wish.clone();
            let tried = self
                .book()
                .commit_grouped(needs(&wish.new), move |unit| {
                    let wish = again.clone();
                    Box::pin(async move { wish.fulfil(unit).await })
                })
                .await;
            match tried {
                // Somebody was first: what it made is found now.
                Err(error @ Error::AlreadyBooked) => last = error,
                Err(Error::Ledger(LedgerError::InsufficientFunds { account, .. })) => {
                    return Err(self.exchange_shortage(&wish.new, account).await);
                }
                other => return other,
            }
        }
        Err(last)
    }

    async fn exchange_in(&self, unit: &mut Unit, new: &NewExchange) -> Result<OperationView> {
        let hash = request_hash(new);
        if let Some(foreign_id) = &new.foreign_id {
            let known = store::find_by_reference(
                unit.conn(),
                self.currencies(),
                new.merchant_id,
                OperationKind::Exchange,
                foreign_id,
            )
            .await?;
            if let Some(known) = known {
                if known.request_hash.as_deref() != Some(hash.as_slice()) {
                    return Err(Error::invalid(
                        "foreign_id",
                        "was used for another exchange already",
                    ));
                }
                return self.operation_view(unit.conn(), known).await;
            }
        }
        let sides = [
            ("sender_currency", new.sender_amount.currency()),
            ("receiver_currency", new.receiver),
        ];
        let pairs = BTreeSet::from(sides.map(|(_, currency)| (new.merchant_id, currency.id)));
        let with_wallets = self.seen_wallets().among(unit, &pairs).await?;
        for (field, currency) in sides {
            if !with_wallets.contains(&(new.merchant_id, currency.id)) {
                return Err(Error::invalid(
                    field,
                    "must be a currency you have a wallet in",
                ));
            }
        }
        let now = match new.pricing {
            // The quote is fixed and used at one time, whichever that is.
            Pricing::Now => unit.now(),
            Pricing::Fixed { .. } | Pricing::Quote { .. } => {
                instance::store::now(unit.conn()).await?
            }
        };
        let quote = self.exchange_quote(unit, new, now).await?;
        let deal = quote.deal();
        let operation = NewOperation {
            merchant_id: new.merchant_id,
            kind: OperationKind::Exchange,
            status: OperationStatus::Confirmed,
            foreign_id: new.foreign_id.clone(),
            request_hash: new.foreign_id.as_ref().map(|_| hash),
            sent: deal.sender,
            received_currency: deal.gross.currency(),
            received: Some(deal.gross),
            received_net: Some(deal.net()),
            requested: deal.sender,
            price: Some(quote.price),
            quote_id: Some(quote.id),
        };
        let row = exchange_store::insert(unit.conn(), self.currencies(), &operation, deal.fee, now)
            .await
            .map_err(taken)?;
        let id = row.id;
        unit.post(with_ids(|ids| exchange(ids, new.merchant_id, id, &deal)));
        let view = exchange_view(row, deal.fee);
        for event in events_of_instant(&view, OperationStatus::Processing)? {
            unit.emit(event);
        }
        Ok(view)
    }

    async fn exchange_quote(
        &self,
        unit: &mut Unit,
        new: &NewExchange,
        now: OffsetDateTime,
    ) -> Result<ExchangeQuote> {
        let expired = || {
            Error::invalid(
                "price",
                "must be the price of a quote for this amount that still stands",
            )
        };
        match new.pricing {
            Pricing::Fixed { price } => quote_store::find_standing(
                unit.conn(),
                self.currencies(),
                new.merchant_id,
                new.sender_amount,
                new.receiver,
                price,
                now,
            )
            .await?
            .ok_or_else(expired),
            Pricing::Quote { id } => {
                quote_store::find(unit.conn(), self.currencies(), new.merchant_id, id)
                    .await?
                    .filter(|quote| now <= quote.release_at)
                    .filter(|quote| quote.sender_amount == new.sender_amount)
                    .ok_or_else(expired)
            }
            Pricing::Now => {
                let request = ExchangeRequest {
                    merchant_id: new.merchant_id,
                    sender: new.sender_amount.currency(),
                    receiver: new.receiver,
                    given: Given::Sender(new.sender_amount),
                };
                let priced = self.price_exchange(unit.conn(), &request, now).await?;
                let release_at = now + FIX_PERIOD;
                quote_store::insert(
                    unit.conn(),
                    new.merchant_id,
                    Purpose::Exchange,
                    &priced,
                    now,
                    release_at,
                )
                .await?;
                Ok(ExchangeQuote {
                    id: priced.id,
                    sender_amount: priced.deal.sender,
                    receiver_amount: priced.deal.gross,
                    fee: priced.deal.fee,
                    price: priced.price,
                    mid: priced.mid,
                    fixed_at: now,
                    release_at,
                })
            }
        }
    }

    async fn exchange_shortage(
        &self,
        new: &NewExchange,
        account: domain::ledger::AccountId,
    ) -> Error {
        match self.account_kind(account).await {
            Ok(AccountKind::Liquidity) => {
                shortage(new.receiver.code.as_str(), true, "sender_amount")
            }
            Ok(_) => shortage(
                new.sender_amount.currency().code.as_str(),
                false,
                "sender_amount",
            ),
            Err(error) => error,
        }
    }
}

/// An exchange somebody asks for, and how he is answered.
struct Wish<R> {
    gateway: Gateway,
    new: NewExchange,
    once: Option<Once>,
    render: R,
}

impl<R> Wish<R>
where
    R: Fn(&OperationView) -> (u16, Vec<u8>) + Send + Sync,
{
    async fn fulfil(&self, unit: &mut Unit) -> Result<Answer> {
        if let Some(first) = unit.claim(self.once.as_ref()).await? {
            return Ok(first);
        }
        let view = self.gateway.exchange_in(unit, &self.new).await?;
        let rendered = (self.render)(&view);
        let answer = match self.new.foreign_id {
            Some(_) => unit.first_answer(view.id, rendered).await?,
            None => Answer::fresh(rendered),
        };
        unit.remember(self.once.as_ref(), &answer).await?;
        Ok(answer)
    }
}

/// Quotes, references and keys of the merchant are read and used under its lock; the rest are rows of
/// the exchange's own.
fn needs(new: &NewExchange) -> Needs {
    let accounts = [new.sender_amount.currency().id, new.receiver.id]
        .into_iter()
        .flat_map(|currency| {
            [
                primary_wallet(new.merchant_id, currency),
                house(AccountKind::Liquidity, currency),
                house(AccountKind::Fees, currency),
            ]
        })
        .collect();
    Needs {
        owner: new.merchant_id,
        merchants: vec![new.merchant_id],
        rows: Vec::new(),
        accounts,
    }
}

fn request_hash(new: &NewExchange) -> [u8; 32] {
    let price = match new.pricing {
        Pricing::Now => "now".to_owned(),
        Pricing::Fixed { price } => price.normalize().to_string(),
        Pricing::Quote { id } => id.to_string(),
    };
    let wish = format!(
        "exchange\n{:?}\n{}\n{price}",
        new.sender_amount, new.receiver.code
    );
    Sha256::digest(wish).into()
}

/// Another request with the same reference was first: the caller looks again.
pub(crate) fn taken_reference(error: Error) -> Error {
    match &error {
        Error::Database(cause) if violated_constraint(cause) == Some("operations_reference") => {
            Error::AlreadyBooked
        }
        _ => error,
    }
}

/// The same of an exchange, whose quote may have been used, too.
fn taken(error: Error) -> Error {
    match &error {
        Error::Database(cause) if violated_constraint(cause) == Some("quote_uses_pkey") => {
            Error::AlreadyBooked
        }
        _ => taken_reference(error),
    }
}
