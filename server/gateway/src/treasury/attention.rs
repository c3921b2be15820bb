//! What people are told about payments, and when they are not told again.

use time::Duration;

use super::released_store;
use super::row::TxRow;
use super::store::{self, Place};
use super::tx_store;
use crate::ledger::Unit;
use crate::mail::tell_operators;
use crate::operations::store as operations;
use crate::{Gateway, Result};

/// What the merchant reads about a withdrawal that waits.
const WAITS: &str = "it waits until there are coins on the chain to pay it with";

/// A withdrawal cannot be paid now. It stays queued, and the operators hear of it once.
pub(super) async fn tell_of_waiting(gateway: &Gateway, id: i64, why: &str) -> Result<()> {
    let (inner, why) = (gateway.clone(), why.to_owned());
    gateway
        .book()
        .commit(move |unit| {
            Box::pin(async move {
                let mut operation =
                    operations::lock_one(unit.conn(), inner.currencies(), id).await?;
                if operation.needs_attention {
                    return Ok(());
                }
                operation.needs_attention = true;
                operation.error = Some(WAITS.to_owned());
                operation.updated_at = unit.now();
                operations::update(unit.conn(), &operation).await?;
                let subject = format!("Withdrawal {id} waits");
                let text = format!(
                    "Withdrawal {id} cannot be paid now: {why}.\n\nIt stays queued and is tried \
                     again by itself."
                );
                tell_operators(unit, &subject, &text).await
            })
        })
        .await
}

/// A transaction could not be signed or sent, and a person has to look. Said once.
pub(super) async fn tell_of_failure(gateway: &Gateway, tx: &TxRow, why: &str) -> Result<()> {
    let (id, title, code, why) = (tx.id, tx.title(), tx.coin.code, why.to_owned());
    gateway
        .book()
        .commit(move |unit| {
            Box::pin(async move {
                tx_store::told(unit.conn(), id).await?;
                let subject = format!("{title} needs a person");
                let text = format!(
                    "{title} ({code}) is not on its way: {why}.\n\n\
                     It is tried again by itself, and nothing else is sent for it. What has later \
                     numbers of its account waits for it."
                );
                tell_operators(unit, &subject, &text).await
            })
        })
        .await
}

/// The signer refuses what moves between accounts of ours: said once a day for each kind and coin, and once while
/// nothing of them is signed, as every deposit may be refused for the same reason.
pub(super) async fn tell_of_refused_move(unit: &mut Unit, tx: &TxRow, why: &str) -> Result<()> {
    let since = unit.now() - Duration::DAY;
    if released_store::is_told(unit.conn(), tx.payment_id, since).await? {
        return Ok(());
    }
    tx_store::told(unit.conn(), tx.id).await?;
    let (title, code) = (tx.title(), tx.coin.code);
    let subject = format!("{title} needs a person");
    let text = format!(
        "The signer refuses {} ({code}): {why}.\n\nNothing was signed and no coins moved; deposits stay where they \
         are. It is planned again after a day. Look at the limits of the signer's policy: gas for the sweep of a \
         token counts as a payment of ether. Others of its kind that are refused meanwhile are on the operator's \
         page of EVM payments, as given back.",
        title.to_lowercase()
    );
    tell_operators(unit, &subject, &text).await
}

/// Somebody has to sign it by hand.
pub(super) async fn tell_signers(unit: &mut Unit, title: &str, coin: &str) -> Result<()> {
    let subject = format!("{title} waits for a signature");
    let text = format!(
        "The transaction of {} ({coin}) is ready to be signed: take it from the operator's page of EVM payments \
         or, for a withdrawal, with `exchequer treasury unsigned`, sign it where the key is, and bring it \
         back the same way.",
        title.to_lowercase()
    );
    tell_operators(unit, &subject, &text).await
}

/// Somebody else uses the key: nothing new is paid until a person says so. Told once.
pub(super) async fn pause(unit: &mut Unit, place: &Place, what: &str) -> Result<()> {
    let now = unit.now();
    if !store::pause(unit.conn(), place, what, now).await? {
        return Ok(());
    }
    let Place { chain_id, address } = place;
    let subject = format!("Payments from {address} are paused");
    let text = format!(
        "The account {address} on chain {chain_id} has sent a transaction that was not made here: \
         {what}.\n\nWhoever did that has its key. Nothing new is paid from it; withdrawals wait. Find \
         out who it was. If the key is safe, go on from the operator's page of EVM payments or with \
         `exchequer treasury resume`; if it is not, move \
         what is left to another account first."
    );
    tracing::error!(chain_id, address, what, "a key is used elsewhere");
    tell_operators(unit, &subject, &text).await
}
