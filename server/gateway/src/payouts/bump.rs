//! Replacements with a higher fee for what waits too long.
//!
//! Invariant: a replacement spends every coin of what it replaces and makes the same payments, so one
//! of the two is mined and pays everybody once.

use signing::{FeeRate, Plan, Replacement, psbt, replace};

use super::row::{TxRow, TxState};
use super::store::{self, NewTx};
use super::wallet::Wallet;
use super::{coins_store as coins, drafting, follow_store, rider_store};
use crate::chain::Chain;
use crate::operator::audit_log;
use crate::withdrawals::store as withdrawals;
use crate::{Error, Gateway, Result, roster};

const NOTHING_SENT: Error = Error::Conflict("nothing of this payout is on its way");
const DRAFT_WAITS: Error = Error::Conflict("a replacement waits for its signature already");
const MEANWHILE: Error = Error::Conflict("this payout has changed in the meantime");

/// Who makes replacements that nobody asked for.
pub(super) const BY_ITSELF: &str = "exchequer";

/// Replaces what has waited for as many blocks as the settings say.
pub(super) async fn bump_due(gateway: &Gateway, chain: &Chain, wallet: &Wallet) -> Result<()> {
    let Some(blocks) = wallet.rules.bump_after_blocks else {
        return Ok(());
    };
    let mut conn = gateway.pool().acquire().await?;
    let overdue = follow_store::overdue(&mut conn, chain.params.code, blocks).await?;
    drop(conn);
    for payout in overdue {
        roster::note_step();
        if let Err(error) = draft_bump(gateway, payout, BY_ITSELF).await {
            tracing::warn!(payout, %error, "a payout that waits cannot be replaced");
            let mut conn = gateway.pool().acquire().await?;
            follow_store::wait_again(&mut conn, payout).await?;
        }
    }
    Ok(())
}

/// Whether something has waited long enough to be replaced.
pub(super) async fn any_due(gateway: &Gateway, chain: &Chain, wallet: &Wallet) -> Result<bool> {
    let Some(blocks) = wallet.rules.bump_after_blocks else {
        return Ok(false);
    };
    let mut conn = gateway.pool().acquire().await?;
    let overdue = follow_store::overdue(&mut conn, chain.params.code, blocks).await?;
    Ok(!overdue.is_empty())
}

impl Gateway {
    /// Makes a replacement with a higher fee for what a payout has sent; it is signed and sent like
    /// the one before.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Conflict`] when nothing of it is on its way, or a replacement
    /// waits for its signature; [`Error::Invalid`] on `bump` when no larger fee can be paid.
    pub async fn bump_payout(&self, payout_id: i64, by: &str) -> Result<()> {
        draft_bump(self, payout_id, by).await
    }
}

async fn draft_bump(gateway: &Gateway, payout_id: i64, by: &str) -> Result<()> {
    let mut conn = gateway.pool().acquire().await?;
    let all = store::all(&mut conn, gateway.currencies(), payout_id).await?;
    let coin = all.first().map(|tx| tx.coin).ok_or(Error::NotFound)?;
    let terms = gateway.terms_of(&mut conn, coin).await?;
    drop(conn);
    let earlier = sent(&all)?;
    let chain = gateway.chains().of(coin)?;
    let wallet = chain
        .payer
        .wallet()
        .ok_or(Error::Conflict("this chain makes no payouts any more"))?;
    let deep = terms.confirmations_large;
    let mut found = coins::available(gateway.pool(), chain, wallet, deep).await?;
    let change = coins::next_change(gateway.pool(), chain, wallet).await?;
    let earlier_vsize = earlier.vsize.ok_or(NOTHING_SENT)?;
    let fee_rate = wallet.rate().await?;
    let incremental = FeeRate::from_sat_per_kvb(wallet.node.incremental_rate().await?);
    let (plan, previous) = loop {
        let plan = replace(&Replacement {
            earlier: &earlier.plan,
            earlier_vsize,
            // Nobody tells us; where it is not so, the node refuses the replacement (decision 027).
            descendants_fee: 0,
            coins: &found,
            change: &change,
            fee_rate,
            incremental,
            caps: wallet.rules.caps,
            confirmations_min: 1,
            chain: wallet.chain,
        })
        .map_err(|error| Error::invalid("bump", format!("is not possible: {error}")))?;
        let previous = coins::previous(gateway.pool(), chain, wallet, &plan).await?;
        let unproven = coins::unproven(&plan, &previous, wallet);
        if unproven.is_empty() || found.is_empty() {
            break (plan, previous);
        }
        let mut own = earlier.plan.inputs.iter();
        if own.any(|coin| unproven.contains(&coin.outpoint)) {
            // It has to be spent again, and no signer believes its amount beside others.
            found.clear();
        }
        found.retain(|coin| !unproven.contains(&coin.outpoint));
    };
    let psbt = psbt::build(&plan, &wallet.account, &previous).map_err(Error::internal)?;
    let new_change = if earlier.plan.change().is_none() {
        drafting::change_address(chain, &plan)?
    } else {
        None
    };
    let draft = Bump {
        plan,
        psbt: psbt.serialize(),
        txid: drafting::id_of(&psbt),
        new_change,
        by_hand: !wallet.signs_by_itself(),
        by: by.to_owned(),
    };
    store_bump(gateway, earlier, draft).await
}

struct Bump {
    plan: Plan,
    psbt: Vec<u8>,
    txid: String,
    /// Where change goes that the earlier one did not have.
    new_change: Option<(u32, String)>,
    by_hand: bool,
    by: String,
}

async fn store_bump(gateway: &Gateway, earlier: &TxRow, bump: Bump) -> Result<()> {
    let inner = gateway.clone();
    let (payout, earlier_id, coin) = (earlier.payout_id, earlier.id, earlier.coin);
    gateway
        .book()
        .commit(move |unit| {
            Box::pin(async move {
                let now = unit.now();
                let (booked, _) = store::lock_payout(unit.conn(), payout).await?;
                let all = store::all(unit.conn(), inner.currencies(), payout).await?;
                let is_given_up = rider_store::is_given_up(unit.conn(), payout).await?;
                if booked.is_some() || is_given_up || sent(&all)?.id != earlier_id {
                    return Err(MEANWHILE);
                }
                let new = NewTx {
                    payout_id: payout,
                    chain: coin.code.as_str(),
                    replaces: Some(earlier_id),
                    plan: &bump.plan,
                    psbt: bump.psbt,
                    txid: bump.txid.clone(),
                    made_by: &bump.by,
                };
                store::insert_tx(unit.conn(), new, now).await?;
                let code = coin.code.as_str();
                drafting::keep(unit, code, payout, &bump.plan, bump.new_change).await?;
                if bump.by_hand {
                    drafting::tell_signers(unit, payout, code).await?;
                }
                let object = format!("payout:{payout}");
                let data = serde_json::json!({ "txid": bump.txid, "fee": bump.plan.fee });
                let conn = unit.conn();
                audit_log::record(conn, now, &bump.by, "payout.bump", &object, &data).await?;
                withdrawals::notify_worker(unit.conn()).await
            })
        })
        .await
}

/// What of a payout is on its way.
fn sent(all: &[TxRow]) -> Result<&TxRow> {
    if all.iter().any(|tx| tx.state == TxState::Drafted) {
        return Err(if all.len() == 1 {
            NOTHING_SENT
        } else {
            DRAFT_WAITS
        });
    }
    all.iter()
        .find(|tx| matches!(tx.state, TxState::Signed | TxState::Broadcast))
        .ok_or(NOTHING_SENT)
}
