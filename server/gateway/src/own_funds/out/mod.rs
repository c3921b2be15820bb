//! Coins that the operator takes out of accounts of ours past this instance, with a wallet that has the same key.
//! A person says so, and it is booked (decision 050).
//!
//! Invariants: a transaction is booked once, with the amounts the chain says, and only one that nobody here made,
//! as deep as no reorganisation is reckoned with; what covers the coins of others is booked out as a loss alone,
//! which a person has to say.

mod found;
mod review;
mod store;

use std::sync::Arc;

use domain::ledger::template::{own_funds_out, own_funds_out_reversed};
use domain::ledger::{AccountKind, HOUSE};
use domain::money::{Currency, Money};
use serde_json::json;
use sqlx::PgConnection;

use self::found::{Step, asked, step};
use self::store::Booking;
use super::{OwnFundsBooked, canonical, needs, refused};
use crate::chain::Chain;
use crate::chain::evm::Sent;
use crate::ledger::{Unit, with_ids};
use crate::operator::{audit_log, reason};
use crate::treasury::cost;
use crate::{Error, Gateway, Result};

impl Gateway {
    /// Makes the books say of a transaction that took coins from accounts of ours, and was not made here, what the
    /// chain says: books what left as taken out of own funds, or books it back when it has left the chain. Doing it
    /// again changes nothing. With `is_loss` more may be booked than the house has of its own.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a chain that is not connected; [`Error::Invalid`] on `reason`, and on `txid` for a
    /// transaction that takes nothing of ours, was made here, does something that is not known, is not deep enough,
    /// or takes more than the house has; the node's. Nothing is booked then.
    pub async fn book_own_funds_out(
        &self,
        code: &str,
        txid: &str,
        is_loss: bool,
        why: &str,
        by: &str,
    ) -> Result<OwnFundsBooked> {
        let why = reason(why)?;
        let chain = self.chains().get(code).ok_or(Error::NotFound)?;
        let (code, txid) = (chain.params.code, canonical(txid));
        // Before anything is locked: a node takes its time.
        let sent = asked(chain, &txid).await?;
        let out = TakenOut {
            code,
            txid,
            sent,
            is_loss,
            why,
            by: by.to_owned(),
        };
        let mut conn = self.pool().acquire().await?;
        let accounts = out.accounts(&mut conn).await?;
        drop(conn);
        let needs = needs::needs(&accounts, &coins(self, chain)?);
        let (inner, out) = (self.clone(), Arc::new(out));
        self.book()
            .commit_decision(needs, move |unit| {
                let (inner, out) = (inner.clone(), out.clone());
                Box::pin(async move { out.book(&inner, unit).await })
            })
            .await
    }
}

/// What somebody said was taken out.
struct TakenOut {
    code: &'static str,
    txid: String,
    /// What the node says of it, where there are accounts.
    sent: Option<Sent>,
    is_loss: bool,
    why: String,
    by: String,
}

impl TakenOut {
    /// Ids of our accounts it took from.
    async fn accounts(&self, conn: &mut PgConnection) -> Result<Vec<i64>> {
        let sender = self.sent.as_ref().map(|sent| sent.from.to_string());
        store::accounts(conn, self.code, &self.txid, sender.as_deref()).await
    }

    async fn book(&self, gateway: &Gateway, unit: &mut Unit) -> Result<OwnFundsBooked> {
        let (code, txid) = (self.code, self.txid.as_str());
        let chain = gateway.chains().get(code).ok_or(Error::NotFound)?;
        let accounts = self.accounts(unit.conn()).await?;
        needs::lock(unit, &accounts).await?;
        let now = unit.now();
        let place = format!("{code}:{txid}");
        let mut done = OwnFundsBooked {
            booked: None,
            taken_back: None,
        };
        let sent = self.sent.as_ref();
        let (entry, action, amount) = match step(gateway, unit.conn(), chain, txid, sent).await? {
            Step::Nothing => return Ok(done),
            Step::Book(taken, bookings) => {
                let parts = taken.parts();
                // Two who take out at the same time do not both count on the same coins.
                let coins: Vec<Currency> = parts.iter().map(|part| part.currency()).collect();
                unit.lock_accounts(&needs::booked_on(&coins)).await?;
                covered(&left_in(unit, &parts).await?, self.is_loss)?;
                let booking = bookings + 1;
                store::booked(unit.conn(), (code, txid), &taken, booking, now).await?;
                done.booked = Some(text(&parts));
                let entry = with_ids(|ids| own_funds_out(ids, &place, booking, &parts));
                (entry, "own_funds_out.booked", text(&parts))
            }
            Step::TakeBack(booking) => {
                let parts = parts_of(gateway, chain.coin, booking)?;
                store::taken_back(unit.conn(), code, txid).await?;
                done.taken_back = Some(text(&parts));
                let entry =
                    with_ids(|ids| own_funds_out_reversed(ids, &place, booking.count, &parts));
                (entry, "own_funds_out.taken_back", text(&parts))
            }
        };
        if let Some(entry) = entry {
            unit.post(entry);
        }
        let data = json!({ "amount": amount, "reason": self.why, "loss": self.is_loss });
        let object = format!("own_funds_out:{place}");
        audit_log::record(unit.conn(), now, &self.by, action, &object, &data).await?;
        Ok(done)
    }
}

/// Coins that a transaction may take: the chain's own, and the one that gas is paid with.
fn coins(gateway: &Gateway, chain: &Chain) -> Result<Vec<Currency>> {
    let mut coins = vec![chain.coin];
    if chain.payer.treasury().is_some() {
        coins.push(cost(gateway, 0)?.currency());
    }
    Ok(coins)
}

/// The same as [`left`], with what others have booked before in the same transaction: it is in no row yet.
async fn left_in(unit: &mut Unit, parts: &[Money]) -> Result<Vec<(Money, Money)>> {
    let mut left = left(unit.conn(), parts).await?;
    for (part, has) in &mut left {
        let coin = part.currency();
        let booked = unit.gained(|account| {
            account.merchant == HOUSE
                && account.kind != AccountKind::ChainHoldings
                && account.currency == coin.id
        });
        *has = Money::from_units(has.units() + booked, coin);
    }
    Ok(left)
}

/// What is taken of each coin, and what the house has of it before.
async fn left(conn: &mut PgConnection, parts: &[Money]) -> Result<Vec<(Money, Money)>> {
    let mut left = Vec::with_capacity(parts.len());
    for part in parts {
        let has = store::house_has(conn, part.currency()).await?;
        left.push((*part, has));
    }
    Ok(left)
}

/// Whether the house has what is taken. What it has not belongs to others, and is a loss that has to be said.
fn covered(left: &[(Money, Money)], is_loss: bool) -> Result<()> {
    let short = left
        .iter()
        .find(|(part, has)| !is_loss && part.units() > has.units());
    match short {
        None => Ok(()),
        Some((part, has)) => Err(refused(format!(
            "takes {}, and the house has {} of its own: the rest covers what others have in their wallets, so \
             nothing was booked. Say that it is a loss of the house to book it all the same",
            amount(*part),
            amount(*has)
        ))),
    }
}

/// What is booked of a transaction.
fn parts_of(gateway: &Gateway, coin: Currency, booking: Booking) -> Result<Vec<Money>> {
    let gas = match booking.gas {
        Some(units) => {
            let ether = cost(gateway, 0)?.currency();
            Some(Money::from_units(units, ether))
        }
        None => None,
    };
    Ok(found::parts(Money::from_units(booking.amount, coin), gas))
}

fn amount(amount: Money) -> String {
    format!("{} {}", amount.shortest(), amount.currency().code)
}

/// In words; nothing at all when nothing is taken.
fn text(parts: &[Money]) -> String {
    let parts: Vec<String> = parts.iter().map(|part| amount(*part)).collect();
    parts.join(" and ")
}
