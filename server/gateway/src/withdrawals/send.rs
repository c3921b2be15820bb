use domain::money::Currency;
use domain::withdrawal::{WithdrawalEvent, WithdrawalState};
use time::{Duration, OffsetDateTime};

use super::follow::call_for_help;
use super::sending_store::{self, Sending};
use super::{WithdrawalRow, store};
use crate::chain::{base_units, follower};
use crate::charges::receiving::lock_charge_of_claim;
use crate::charges::refunds::{RefundProgress, withdrawal_changed};
use crate::operations::store as operations;
use crate::outbox::Outcome;
use crate::{Error, Gateway, Result, payouts, roster, treasury};

/// How long a worker may keep a withdrawal before another may take it.
const LEASE_SECONDS: i32 = 60;

/// Withdrawals taken at once.
const BATCH: i64 = 20;

/// Pauses after failures: doubled from the shortest to the longest.
const PAUSE_MIN_SECONDS: i64 = 5;
const PAUSE_MAX_SECONDS: i64 = 3_600;

/// Builds, stores and broadcasts what is due. Each step is its own commit, with nothing but the
/// network between them: a crash anywhere sends the same bytes again. `Worked` as long as something was due.
///
/// # Errors
/// The database's; of a chain with numbers also its node's. Why a single payment is not on its way is noted with it.
pub async fn send_due(gateway: &Gateway) -> Result<Outcome> {
    send_due_by(gateway, gateway.clock().now()).await
}

/// The same; of withdrawals that share nothing, those that were due at `by`.
///
/// # Errors
/// As for [`send_due`].
pub(crate) async fn send_due_by(gateway: &Gateway, by: OffsetDateTime) -> Result<Outcome> {
    // Whoever asks for it: others wait behind the lock of a sending.
    let gateway = &gateway.of_the_instance();
    let worked = payouts::work_due(gateway).await? | treasury::work_due(gateway).await?;
    let shared = shared(gateway);
    let due = store::claim(gateway.pool(), by, LEASE_SECONDS, BATCH, &shared).await?;
    if due.is_empty() && !worked {
        return Ok(Outcome::Idle);
    }
    let mut changed: Vec<Currency> = Vec::new();
    let mut broke_off = None;
    for id in due {
        roster::note_step();
        match send_one(gateway, id).await {
            Ok(Some(coin)) if !changed.contains(&coin) => changed.push(coin),
            Ok(_) => {}
            Err(error) => {
                tracing::error!(operation = id, %error, "a withdrawal could not be sent, will try again");
                let (why, now) = (error.to_string(), gateway.clock().now());
                let noted = store::failed(gateway.pool(), id, &why, now, pause_after).await;
                if let Err(error) = noted {
                    // The database is away, and would be for the others: their leases run out.
                    broke_off = Some(error);
                    break;
                }
            }
        }
    }
    // So that the chain tables know what was sent from the start; once for all of it.
    for coin in changed {
        if let Err(error) = follower::sync(gateway, coin).await {
            tracing::error!(chain = %coin.code, %error, "what was sent is not in our tables yet");
        }
    }
    broke_off.map_or(Ok(Outcome::Worked), Err)
}

/// Whether some withdrawal waits to be sent by `now`.
pub(crate) async fn any_due(gateway: &Gateway, now: OffsetDateTime) -> Result<bool> {
    Ok(store::any_due(gateway.pool(), now).await?
        || payouts::any_due(gateway, now).await?
        || treasury::any_due(gateway, now).await?)
}

/// Coins whose withdrawals share transactions, or have a number of their own each.
fn shared(gateway: &Gateway) -> Vec<i16> {
    let chains = gateway.chains().all().iter();
    chains
        .filter(|chain| chain.payer.wallet().is_some() || chain.payer.treasury().is_some())
        .map(|chain| chain.coin.id)
        .collect()
}

fn pause_after(attempts: i32) -> Duration {
    let doublings = attempts.clamp(0, 16);
    let seconds = PAUSE_MIN_SECONDS.saturating_mul(1_i64 << doublings);
    Duration::seconds(seconds.min(PAUSE_MAX_SECONDS))
}

/// Answers the coin whose chain knows more by now.
async fn send_one(gateway: &Gateway, id: i64) -> Result<Option<Currency>> {
    let mut conn = gateway.pool().acquire().await?;
    let row = store::find(&mut conn, gateway.currencies(), id).await?;
    drop(conn);
    let coin = row.sent.currency();
    let (raw, claim_id) = match (row.state, row.raw) {
        (WithdrawalState::Queued, _) => (build(gateway, id, coin).await?, row.claim_id),
        (WithdrawalState::Built, Some(raw)) => (raw, row.claim_id),
        // Somebody else got there first.
        _ => return Ok(None),
    };
    // A person may have ended it since it was read.
    let mut sending = sending_store::hold(gateway.pool(), Sending::Withdrawal(id)).await?;
    let state = store::find(&mut sending, gateway.currencies(), id)
        .await?
        .state;
    if !matches!(state, WithdrawalState::Built | WithdrawalState::Broadcast) {
        return Ok(None);
    }
    let answer = gateway.chains().of(coin)?.backend.broadcast(&raw).await;
    sending.rollback().await?;
    match answer {
        Ok(()) => accepted(gateway, id, claim_id).await?,
        Err(error @ Error::Conflict(_)) => {
            refused(gateway, id).await?;
            return Err(error);
        }
        Err(error) => return Err(error),
    }
    Ok(Some(coin))
}

/// The network says that the coins are spent: a person has to look, whatever is tried meanwhile.
async fn refused(gateway: &Gateway, id: i64) -> Result<()> {
    let inner = gateway.clone();
    gateway
        .book()
        .commit(move |unit| Box::pin(async move { call_for_help(&inner, unit, id).await }))
        .await
}

/// Makes the transaction and stores it. From here on only these bytes pay this withdrawal.
async fn build(gateway: &Gateway, id: i64, coin: Currency) -> Result<Vec<u8>> {
    let mut conn = gateway.pool().acquire().await?;
    let row = store::find(&mut conn, gateway.currencies(), id).await?;
    drop(conn);
    let chain = gateway.chains().of(coin)?;
    let raw = base_units::from_ledger(row.sent, base_units::digits(chain.params))
        .ok_or_else(|| Error::Internal(format!("{} is no amount of its chain", row.sent)))?;
    let signed = chain
        .payer
        .build(&format!("withdrawal {id}"), &row.address, raw)
        .await?;
    let inner = gateway.clone();
    let bytes = signed.raw.clone();
    gateway
        .book()
        .commit(move |unit| {
            Box::pin(async move {
                operations::lock(unit.conn(), inner.currencies(), &[id]).await?;
                let mut row = store::find(unit.conn(), inner.currencies(), id).await?;
                row.state = row
                    .state
                    .apply(WithdrawalEvent::Built)
                    .map_err(Error::internal)?;
                row.txid = Some(signed.txid);
                row.raw = Some(signed.raw);
                store::built(unit.conn(), &row).await
            })
        })
        .await?;
    Ok(bytes)
}

async fn accepted(gateway: &Gateway, id: i64, claim_id: Option<i64>) -> Result<()> {
    let inner = gateway.clone();
    gateway
        .book()
        .commit(move |unit| {
            Box::pin(async move {
                lock_charge_of_claim(&inner, unit, claim_id).await?;
                operations::lock(unit.conn(), inner.currencies(), &[id]).await?;
                let mut row: WithdrawalRow =
                    store::find(unit.conn(), inner.currencies(), id).await?;
                // A block may have settled it meanwhile.
                let Ok(state) = row.state.apply(WithdrawalEvent::Accepted) else {
                    return Ok(());
                };
                let first = row.state == WithdrawalState::Built;
                row.state = state;
                store::broadcast(unit.conn(), &row).await?;
                if let (true, Some(claim), Some(txid)) = (first, row.claim_id, row.txid.clone()) {
                    withdrawal_changed(&inner, unit, claim, RefundProgress::Sent { txid }).await?;
                }
                Ok(())
            })
        })
        .await
}
