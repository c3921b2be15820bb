//! The steps a payment takes by itself, one after the other; each can be taken again.

use time::{Duration, OffsetDateTime};

use super::row::TxRow;
use super::store;
use super::wallet::Treasury;
use super::{attention, bump, drafting, send, sign, sweeping, tx_store};
use crate::chain::Chain;
use crate::payouts::TxState;
use crate::{Error, Gateway, Result, roster};

/// How long a worker may keep a transaction before another may take it.
const LEASE_SECONDS: i32 = 120;
/// Transactions taken in one go.
const BATCH: u32 = 20;

/// Pauses after failures: doubled from the shortest to the longest.
const PAUSE_MIN_SECONDS: i64 = 5;
const PAUSE_MAX_SECONDS: i64 = 600;

/// Plans, signs, sends and replaces what is due; true when there was something.
pub(crate) async fn work_due(gateway: &Gateway) -> Result<bool> {
    let mut worked = false;
    for (chain, treasury) in treasuries(gateway) {
        roster::note_step();
        let code = chain.params.code;
        match bump::bump_due(gateway, chain, treasury).await {
            Ok(bumped) => worked |= bumped,
            Err(error) => {
                tracing::error!(chain = code, %error, "a payment could not be replaced, will try again");
            }
        }
        worked |= drafting::draft_due(gateway, chain, treasury).await?;
        match sweeping::sweep_due(gateway, chain, treasury).await {
            Ok(swept) => worked |= swept,
            Err(error) => {
                tracing::error!(chain = code, %error, "deposits could not be swept, will try again");
            }
        }
    }
    let signing = signing_chains(gateway);
    let now = gateway.clock().now();
    // One by one: a lease is shorter than what a slow signer takes for all of them.
    for _ in 0..BATCH {
        let Some(id) = tx_store::claim(gateway.pool(), &signing, now, LEASE_SECONDS).await? else {
            break;
        };
        worked = true;
        leased_step(gateway, id).await?;
    }
    Ok(worked)
}

/// Whether something would be done by `now`.
pub(crate) async fn any_due(gateway: &Gateway, now: OffsetDateTime) -> Result<bool> {
    for (chain, treasury) in treasuries(gateway) {
        if bump::any_due(gateway, chain, treasury).await?
            || sweeping::any_due(gateway, chain, treasury, now).await?
        {
            return Ok(true);
        }
    }
    tx_store::any_due(gateway.pool(), &signing_chains(gateway), now).await
}

/// Chains whose transactions are signed without anybody doing anything.
fn signing_chains(gateway: &Gateway) -> Vec<&'static str> {
    treasuries(gateway)
        .filter(|(_, treasury)| treasury.signs_by_itself())
        .map(|(chain, _)| chain.params.code)
        .collect()
}

fn treasuries(gateway: &Gateway) -> impl Iterator<Item = (&Chain, &Treasury)> {
    let chains = gateway.chains().all().iter();
    chains.filter_map(|chain| Some((chain, chain.payer.treasury()?)))
}

pub(super) fn pause_after(attempts: i32) -> Duration {
    let doublings = attempts.clamp(0, 16);
    let seconds = PAUSE_MIN_SECONDS.saturating_mul(1_i64 << doublings);
    Duration::seconds(seconds.min(PAUSE_MAX_SECONDS))
}

/// Why a step was not taken.
#[derive(Debug)]
pub(super) enum Failure {
    /// It passes by itself.
    Passing(String),
    /// A person has to look.
    Lasting(String),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Passing(error.to_string())
    }
}

/// Signs and sends what was planned a moment ago, unless another process has begun to. Two that ask a signer for
/// one transaction could hear different things: one gives its number back, the other has a signature.
pub(super) async fn step_now(gateway: &Gateway, id: i64) -> Result<()> {
    if tx_store::lease(gateway.pool(), id, LEASE_SECONDS).await? {
        leased_step(gateway, id).await?;
    }
    Ok(())
}

/// Signs and sends a transaction as far as it goes; why it goes no further is noted.
async fn leased_step(gateway: &Gateway, id: i64) -> Result<()> {
    roster::note_step();
    let tx = drafting::stored(gateway, id).await?;
    let Err(failure) = step(gateway, &tx).await else {
        return Ok(());
    };
    let (why, is_lasting) = match &failure {
        Failure::Passing(why) => (why, false),
        Failure::Lasting(why) => (why, true),
    };
    let payment = tx.name();
    tracing::error!(payment, why, "a payment is not on its way");
    let now = gateway.clock().now();
    let told = tx_store::failed(gateway.pool(), id, why, now, pause_after).await?;
    if is_lasting && !told {
        attention::tell_of_failure(gateway, &tx, why).await?;
    }
    Ok(())
}

async fn step(gateway: &Gateway, tx: &TxRow) -> Result<(), Failure> {
    match tx.state {
        TxState::Drafted => {
            let Some(treasury) = gateway.chains().of(tx.coin)?.payer.treasury() else {
                return Err(Failure::Passing("the chain makes no payments".to_owned()));
            };
            if let Some(why) = paused(gateway, tx).await? {
                return Err(Failure::Passing(format!("payments are paused: {why}")));
            }
            if !sign::sign_one(gateway, treasury, tx).await? {
                return Ok(());
            }
            // With its bytes, which were stored meanwhile.
            let tx = drafting::stored(gateway, tx.id).await?;
            send::send_one(gateway, &tx).await
        }
        TxState::Signed => send::send_one(gateway, tx).await,
        TxState::Broadcast | TxState::Confirmed | TxState::Replaced | TxState::Dropped => Ok(()),
    }
}

async fn paused(gateway: &Gateway, tx: &TxRow) -> Result<Option<String>> {
    let place = tx.place()?;
    let mut conn = gateway.pool().acquire().await?;
    store::paused(&mut conn, &place).await
}
