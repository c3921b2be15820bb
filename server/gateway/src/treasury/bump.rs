//! Replacements with a higher fee for what waits too long.
//!
//! Invariant: a replacement has the number of what it replaces and pays the same, so one of the two is
//! mined and pays once.

use signing::evm::Transaction;

use super::drafting::BY_ITSELF;
use super::row::{Purpose, TxRow};
use super::wallet::Treasury;
use super::{attention, follow_store, store, tx_store};
use crate::chain::{Chain, evm};
use crate::operator::audit_log;
use crate::payouts::TxState;
use crate::withdrawals::store as withdrawals;
use crate::{Error, Gateway, Result, roster};

const NOTHING_SENT: Error = Error::Conflict("nothing of this payment is on its way");
const DRAFT_WAITS: Error = Error::Conflict("a replacement waits for its signature already");
const MEANWHILE: Error = Error::Conflict("this payment has changed in the meantime");

/// Replaces what has waited for as many blocks as the settings say. Of an account only the transaction
/// with the lowest number is looked at: the others wait for it.
pub(super) async fn bump_due(
    gateway: &Gateway,
    chain: &Chain,
    treasury: &Treasury,
) -> Result<bool> {
    let mut worked = false;
    for payment in overdue(gateway, chain, treasury).await? {
        roster::note_step();
        worked = true;
        if let Err(error) = draft_bump(gateway, treasury, payment, BY_ITSELF).await {
            tracing::warn!(payment, %error, "a payment that waits cannot be replaced");
            let mut conn = gateway.pool().acquire().await?;
            follow_store::wait_again(&mut conn, payment).await?;
        }
    }
    Ok(worked)
}

/// Whether something has waited long enough to be replaced.
pub(super) async fn any_due(gateway: &Gateway, chain: &Chain, treasury: &Treasury) -> Result<bool> {
    Ok(!overdue(gateway, chain, treasury).await?.is_empty())
}

async fn overdue(gateway: &Gateway, chain: &Chain, treasury: &Treasury) -> Result<Vec<i64>> {
    let Some(blocks) = treasury.rules.bump_after_blocks else {
        return Ok(Vec::new());
    };
    if !treasury.signs_by_itself() {
        return Ok(Vec::new());
    }
    let mut conn = gateway.pool().acquire().await?;
    follow_store::overdue(&mut conn, chain.params.code, blocks).await
}

impl Gateway {
    /// Makes a replacement with a higher fee for what was sent for a withdrawal; it is signed and sent
    /// like the one before.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Conflict`] when nothing of it is on its way, or a replacement waits
    /// for its signature; [`Error::Invalid`] on `bump` when no larger fee can be paid.
    pub async fn bump_treasury_payment(&self, operation_id: i64, by: &str) -> Result<()> {
        let payment = self.treasury_payment_of(operation_id).await?;
        self.bump_payment(payment, by).await
    }

    /// The same for a payment of any kind.
    ///
    /// # Errors
    /// As [`Self::bump_treasury_payment`].
    pub async fn bump_payment(&self, payment: i64, by: &str) -> Result<()> {
        let mut conn = self.pool().acquire().await?;
        let all = tx_store::all(&mut conn, self.currencies(), payment).await?;
        drop(conn);
        let coin = all.first().map(|tx| tx.coin).ok_or(Error::NotFound)?;
        let chain = self.chains().of(coin)?;
        let treasury = chain.payer.treasury().ok_or(Error::Conflict(
            "this chain makes no such payments any more",
        ))?;
        draft_bump(self, treasury, payment, by).await
    }
}

async fn draft_bump(gateway: &Gateway, treasury: &Treasury, payment: i64, by: &str) -> Result<()> {
    let mut conn = gateway.pool().acquire().await?;
    let all = tx_store::all(&mut conn, gateway.currencies(), payment).await?;
    drop(conn);
    let earlier = sent(&all)?;
    let market = treasury.node.fee_market().await?;
    let now = treasury.rules.price(market.base, market.tip);
    // A node compares with what it has, which may be any of them: the dearest counts.
    let price = treasury.rules.raised(earlier.price(), now).ok_or_else(|| {
        Error::invalid("bump", "is not possible: the settings allow no higher fee")
    })?;
    let plan = Transaction {
        max_fee_per_gas: price.max,
        max_priority_fee_per_gas: price.tip,
        ..earlier.plan.clone()
    };
    if earlier.purpose == Purpose::Sweep {
        // It moves nearly all there is: what a higher fee takes has to be there as well.
        let funds = treasury.node.funds(evm::Account(earlier.from.0)).await?;
        let needed = plan.fee_max().and_then(|fee| fee.checked_add(plan.value));
        if needed.is_none_or(|needed| needed > funds.ether) {
            return Err(Error::invalid(
                "bump",
                "is not possible: nothing is left for a higher fee",
            ));
        }
    }
    let (inner, earlier, by) = (gateway.clone(), earlier.clone(), by.to_owned());
    let by_hand = !treasury.signs_by_itself();
    gateway
        .book()
        .commit(move |unit| {
            Box::pin(async move {
                let now = unit.now();
                let (booked, _, outcome) = store::lock_payment(unit.conn(), payment).await?;
                let all = tx_store::all(unit.conn(), inner.currencies(), payment).await?;
                let ended = store::is_given_up(unit.conn(), earlier.operation_id).await?;
                if booked.is_some() || outcome.is_some() || ended || sent(&all)?.id != earlier.id {
                    return Err(MEANWHILE);
                }
                let conn = unit.conn();
                tx_store::insert(conn, payment, Some(earlier.id), &plan, &by, now).await?;
                if by_hand {
                    let code = earlier.coin.code;
                    attention::tell_signers(unit, &earlier.title(), code.as_str()).await?;
                }
                let object = earlier.object();
                let data = serde_json::json!({
                    "nonce": plan.nonce, "max_fee_per_gas": plan.max_fee_per_gas.to_string(),
                });
                let (conn, action) = (unit.conn(), earlier.action("bump"));
                audit_log::record(conn, now, &by, &action, &object, &data).await?;
                withdrawals::notify_worker(unit.conn()).await
            })
        })
        .await
}

/// What of a payment is on its way.
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
