//! The steps a payout takes by itself, one after the other; each can be taken again.

use time::{Duration, OffsetDateTime};

use super::row::{TxRow, TxState};
use super::wallet::Wallet;
use super::{attention, bump, drafting, send, sign, store};
use crate::chain::Chain;
use crate::{Error, Gateway, Result, roster};

/// How long a worker may keep a transaction before another may take it.
const LEASE_SECONDS: i32 = 120;

/// Transactions taken at once.
const BATCH: i64 = 20;

/// Pauses after failures: doubled from the shortest to the longest.
const PAUSE_MIN_SECONDS: i64 = 5;
const PAUSE_MAX_SECONDS: i64 = 600;

/// Plans, signs, sends and replaces what is due; true when there was something.
pub(crate) async fn work_due(gateway: &Gateway) -> Result<bool> {
    let mut worked = false;
    for (chain, wallet) in wallets(gateway) {
        roster::note_step();
        worked |= drafting::draft_due(gateway, chain, wallet).await?;
        if let Err(error) = bump::bump_due(gateway, chain, wallet).await {
            let code = chain.params.code;
            tracing::error!(chain = code, %error, "a payout could not be replaced, will try again");
        }
    }
    let signing = signing_chains(gateway);
    let now = gateway.clock().now();
    for id in store::claim(gateway.pool(), &signing, now, LEASE_SECONDS, BATCH).await? {
        roster::note_step();
        worked = true;
        let mut conn = gateway.pool().acquire().await?;
        let tx = store::find(&mut conn, gateway.currencies(), id).await?;
        drop(conn);
        if let Err(failure) = step(gateway, &tx).await {
            note(gateway, &tx, &failure, now).await?;
        }
    }
    Ok(worked)
}

/// Whether something would be done by `now`.
pub(crate) async fn any_due(gateway: &Gateway, now: OffsetDateTime) -> Result<bool> {
    for (chain, wallet) in wallets(gateway) {
        if bump::any_due(gateway, chain, wallet).await? {
            return Ok(true);
        }
    }
    store::any_due(gateway.pool(), &signing_chains(gateway), now).await
}

/// Chains whose transactions are signed without anybody doing anything.
fn signing_chains(gateway: &Gateway) -> Vec<&'static str> {
    wallets(gateway)
        .filter(|(_, wallet)| wallet.signs_by_itself())
        .map(|(chain, _)| chain.params.code)
        .collect()
}

fn wallets(gateway: &Gateway) -> impl Iterator<Item = (&Chain, &Wallet)> {
    let chains = gateway.chains().all().iter();
    chains.filter_map(|chain| Some((chain, chain.payer.wallet()?)))
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

async fn step(gateway: &Gateway, tx: &TxRow) -> Result<(), Failure> {
    match tx.state {
        TxState::Drafted => {
            if !sign::sign_one(gateway, tx).await? {
                return Ok(());
            }
            // With its bytes, which were stored meanwhile.
            let mut conn = gateway.pool().acquire().await.map_err(Error::from)?;
            let tx = store::find(&mut conn, gateway.currencies(), tx.id).await?;
            drop(conn);
            send::send_one(gateway, &tx).await
        }
        TxState::Signed => send::send_one(gateway, tx).await,
        TxState::Broadcast | TxState::Confirmed | TxState::Replaced | TxState::Dropped => Ok(()),
    }
}

async fn note(gateway: &Gateway, tx: &TxRow, failure: &Failure, now: OffsetDateTime) -> Result<()> {
    let (why, is_lasting) = match failure {
        Failure::Passing(why) => (why, false),
        Failure::Lasting(why) => (why, true),
    };
    tracing::error!(
        payout = tx.payout_id,
        transaction = tx.id,
        why,
        "a payout is not on its way"
    );
    let told = store::failed(gateway.pool(), tx.id, why, now, pause_after).await?;
    if is_lasting && !told {
        attention::tell_of_failure(gateway, tx, why).await?;
    }
    Ok(())
}
