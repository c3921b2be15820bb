use domain::ledger::template::withdrawal_settled;
use domain::money::Currency;
use domain::withdrawal::WithdrawalEvent;

use super::WithdrawalRow;
use super::on_chain_store::{self as on_chain, OnChain};
use super::store;
use crate::charges::receiving::lock_charge_of_claim;
use crate::charges::refunds::{RefundProgress, withdrawal_changed};
use crate::ledger::{Unit, with_ids};
use crate::mail::tell_operators;
use crate::operations::{OperationStatus, store as operations};
use crate::{Error, Gateway, Result, payouts, treasury};

/// Brings withdrawals of the coin in line with the chain tables: settles what is deep enough, sends
/// again what the network forgot, and calls a person where another transaction took the coins.
///
/// One unit each, apart from the blocks' own: what is derived here can be derived again.
pub(crate) async fn follow(gateway: &Gateway, coin: Currency, tip_height: i64) -> Result<()> {
    let mut conn = gateway.side_pool().acquire().await?;
    let changed = on_chain::changed_on_chain(&mut conn, coin, tip_height).await?;
    drop(conn);
    for OnChain {
        operation_id,
        fate,
        claim_id,
    } in changed
    {
        let inner = gateway.clone();
        gateway
            .book()
            .commit(move |unit| {
                Box::pin(async move {
                    lock_charge_of_claim(&inner, unit, claim_id).await?;
                    match fate {
                        Fate::Deep => settle(&inner, unit, operation_id).await,
                        Fate::Dropped => send_again(&inner, unit, operation_id).await,
                        Fate::Replaced => call_for_help(&inner, unit, operation_id).await,
                        Fate::Lost => tell_of_loss(&inner, unit, operation_id).await,
                        Fate::Back => all_is_well(&inner, unit, operation_id).await,
                        Fate::Twice => tell_of_overpaying(&inner, unit, operation_id).await,
                    }
                })
            })
            .await?;
        if fate == Fate::Lost {
            send_once_more(gateway, operation_id).await?;
        }
    }
    payouts::follow(gateway, coin, tip_height).await?;
    treasury::follow(gateway, coin, tip_height).await
}

/// What became of a withdrawal's transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// In the active chain with enough blocks.
    Deep,
    /// Gone without a trace.
    Dropped,
    /// Another transaction spends the same coins.
    Replaced,
    /// It was deep enough, was settled, and is not in the chain any more.
    Lost,
    /// It was lost, and is deep enough again.
    Back,
    /// A person ended it, and it is in a block all the same.
    Twice,
}

/// The coins are with the receiver: what was held leaves the books, once.
pub(crate) async fn settle(gateway: &Gateway, unit: &mut Unit, id: i64) -> Result<()> {
    let mut operation = operations::lock_one(unit.conn(), gateway.currencies(), id).await?;
    let mut row = store::find(unit.conn(), gateway.currencies(), id).await?;
    let Ok(state) = row.state.apply(WithdrawalEvent::Confirmed) else {
        return Ok(());
    };
    row.state = state;
    let now = unit.now();
    let payer = WithdrawalRow::payer(&operation);
    let (amounts, holds) = (row.amounts(&operation), row.holds(&operation));
    unit.post(with_ids(|ids| {
        withdrawal_settled(ids, payer, id, &amounts, &holds)
    }));
    store::update_state(unit.conn(), &row).await?;
    operation.error = None;
    operation.needs_attention = false;
    operation.become_status(OperationStatus::Confirmed, now);
    operations::update(unit.conn(), &operation).await?;
    if let Some(claim) = row.claim_id {
        let progress = RefundProgress::Confirmed {
            txid: row.txid.clone(),
        };
        withdrawal_changed(gateway, unit, claim, progress).await?;
    }
    gateway.tell_withdrawal(unit, id).await
}

async fn send_again(gateway: &Gateway, unit: &mut Unit, id: i64) -> Result<()> {
    operations::lock(unit.conn(), gateway.currencies(), &[id]).await?;
    let now = unit.now();
    store::queue_again(unit.conn(), id, now).await?;
    store::notify_worker(unit.conn()).await
}

/// The hold stays: whether the coins are gone is for a person to find out.
pub(crate) async fn call_for_help(gateway: &Gateway, unit: &mut Unit, id: i64) -> Result<()> {
    let mut operation = operations::lock_one(unit.conn(), gateway.currencies(), id).await?;
    if operation.needs_attention {
        return Ok(());
    }
    operation.needs_attention = true;
    operation.error = Some("another transaction spends the coins of this one".to_owned());
    operation.updated_at = unit.now();
    operations::update(unit.conn(), &operation).await?;
    let subject = format!("Withdrawal {id} needs a person");
    let text = format!(
        "Another transaction on the chain spends the coins withdrawal {id} was made of. Its money \
         stays held, nothing else is sent.\n\nLook at the chain before anything is decided."
    );
    tell_operators(unit, &subject, &text).await
}

/// What is settled stays so in the books: the payment is made whole on the chain, with the same bytes.
async fn tell_of_loss(gateway: &Gateway, unit: &mut Unit, id: i64) -> Result<()> {
    let mut operation = operations::lock_one(unit.conn(), gateway.currencies(), id).await?;
    operation.needs_attention = true;
    operation.error = Some("its transaction has left the chain; it is sent again".to_owned());
    operation.updated_at = unit.now();
    operations::update(unit.conn(), &operation).await?;
    let subject = format!("Withdrawal {id} has left the chain");
    let text = format!(
        "A reorganisation of the chain removed the transaction of withdrawal {id}, which was final. \
         The same transaction was sent once more; the receiver has nothing until it is in a block \
         again.\n\nIf it does not come back, send it again from the page of suspense."
    );
    tell_operators(unit, &subject, &text).await
}

/// Told once, until a person has looked.
pub(crate) async fn tell_of_overpaying(gateway: &Gateway, unit: &mut Unit, id: i64) -> Result<()> {
    let mut operation = operations::lock_one(unit.conn(), gateway.currencies(), id).await?;
    if operation.needs_attention {
        return Ok(());
    }
    operation.needs_attention = true;
    operation.updated_at = unit.now();
    operations::update(unit.conn(), &operation).await?;
    let subject = format!("Withdrawal {id} was paid although it had ended");
    let text = format!(
        "The transaction of withdrawal {id} is in a block. Somebody decided earlier that another \
         transaction had taken its coins. If its money was given back then, the wallet still has it; if \
         the other transaction paid, the receiver has it twice. Ask for it, or book the loss."
    );
    tell_operators(unit, &subject, &text).await
}

async fn all_is_well(gateway: &Gateway, unit: &mut Unit, id: i64) -> Result<()> {
    let mut operation = operations::lock_one(unit.conn(), gateway.currencies(), id).await?;
    operation.needs_attention = false;
    operation.error = None;
    operation.updated_at = unit.now();
    operations::update(unit.conn(), &operation).await
}

/// Broadcasts the stored bytes of a settled withdrawal; what the network says is for the log, because
/// the operators know already.
async fn send_once_more(gateway: &Gateway, id: i64) -> Result<()> {
    let mut conn = gateway.side_pool().acquire().await?;
    let row = store::find(&mut conn, gateway.currencies(), id).await?;
    drop(conn);
    if let Some(payout) = row.payout_id {
        return payouts::send_once_more(gateway, row.sent.currency(), payout).await;
    }
    let Some(raw) = row.raw else { return Ok(()) };
    let backend = &gateway.chains().of(row.sent.currency())?.backend;
    if let Err(error) = backend.broadcast(&raw).await {
        tracing::warn!(operation = id, %error, "a lost withdrawal could not be sent once more");
    }
    Ok(())
}

impl Gateway {
    /// Sends a withdrawal's stored bytes to the network once more; never new ones. One that a signer has
    /// refused is planned again at once.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Conflict`] when it has no bytes yet or has ended.
    pub async fn rebroadcast_withdrawal(&self, id: i64, by: &str) -> Result<()> {
        let (gateway, by) = (self.clone(), by.to_owned());
        let is_lost = self
            .book()
            .commit(move |unit| {
                Box::pin(async move {
                    let operation =
                        operations::lock_one(unit.conn(), gateway.currencies(), id).await?;
                    let now = unit.now();
                    // One that left the chain keeps its state; its bytes go out beside the queue.
                    let is_lost = on_chain::is_lost(unit.conn(), id).await?;
                    let payment = treasury::store::of_withdrawal(unit.conn(), id).await?;
                    let is_queued = match store::payout_of(unit.conn(), id).await? {
                        _ if is_lost => false,
                        Some(payout) => {
                            payouts::store::queue_again(unit.conn(), payout, now).await?
                        }
                        None => match payment {
                            Some(payment) => {
                                treasury::send_again(unit.conn(), payment, now).await?
                            }
                            None => {
                                store::queue_again(unit.conn(), id, now).await?
                                    || store::try_again(unit.conn(), id, now).await?
                            }
                        },
                    };
                    if !is_lost && !is_queued {
                        return Err(Error::Conflict("there is nothing to send again"));
                    }
                    crate::operator::audit_log::record(
                        unit.conn(),
                        now,
                        &by,
                        "withdrawal.rebroadcast",
                        &operation.object(),
                        &serde_json::json!({}),
                    )
                    .await?;
                    store::notify_worker(unit.conn()).await?;
                    Ok(is_lost)
                })
            })
            .await?;
        if is_lost {
            send_once_more(self, id).await?;
        }
        Ok(())
    }
}
