//! Drafts that nobody signs, and payouts of which nothing can be mined any more.
//!
//! Invariant: a withdrawal leaves its payout only when nothing was ever signed for it, as far as anybody can
//! know; coins are free again when nothing signed can spend them any more, and not before
//! (decision 030).

use domain::money::Currency;
use sqlx::PgConnection;

use super::row::{TxRow, TxState};
use super::{coins_store, follow_store, lock_store, rider_store, store};
use crate::currencies::Currencies;
use crate::ledger::{Row, Unit};
use crate::operations::store as operations;
use crate::withdrawals::store as withdrawals;
use crate::{Error, Gateway, Result};

const SIGNED: Error = Error::Conflict("something of this payout is signed");

/// What [`lock`] locks, as it is now.
pub(crate) async fn rows(conn: &mut PgConnection, payout_id: i64) -> Result<Vec<Row>> {
    let riders = rider_store::riders(conn, payout_id).await?;
    let mut rows: Vec<Row> = riders
        .into_iter()
        .map(|rider| Row::Operation(rider.operation_id))
        .collect();
    rows.push(Row::Payout(payout_id));
    Ok(rows)
}

/// Locks the withdrawals of a payout, then the payout itself; answers the withdrawals.
///
/// # Errors
/// [`Error::StepsOut`] when this unit may not lock one of them.
pub(super) async fn lock(
    unit: &mut Unit,
    currencies: &Currencies,
    payout_id: i64,
) -> Result<Vec<i64>> {
    lock_with(unit, currencies, payout_id, None).await
}

/// The same, and a withdrawal that rode in it when it was looked at, whether it still does or not: all withdrawals
/// are locked before the payout, or whoever has this one and waits for the payout would be waited for.
///
/// # Errors
/// As [`lock`].
pub(crate) async fn lock_with(
    unit: &mut Unit,
    currencies: &Currencies,
    payout_id: i64,
    withdrawal: Option<i64>,
) -> Result<Vec<i64>> {
    let riders = rider_store::riders(unit.conn(), payout_id).await?;
    let mut ids: Vec<i64> = riders.iter().map(|rider| rider.operation_id).collect();
    ids.extend(withdrawal);
    for id in &ids {
        unit.require(Row::Operation(*id))?;
    }
    unit.require(Row::Payout(payout_id))?;
    operations::lock(unit.conn(), currencies, &ids).await?;
    store::lock_payout(unit.conn(), payout_id).await?;
    // Some may have left while the locks were waited for; none can have come.
    let riders = rider_store::riders(unit.conn(), payout_id).await?;
    Ok(riders.into_iter().map(|rider| rider.operation_id).collect())
}

/// Takes a payout apart of which nothing is signed: its withdrawals wait again, each by itself. The
/// caller holds the locks of [`lock`], and knows that nobody can have a signature.
///
/// # Errors
/// [`Error::Conflict`] when something of it is signed.
pub(crate) async fn take_apart(
    unit: &mut Unit,
    currencies: &Currencies,
    payout_id: i64,
    why: &str,
) -> Result<()> {
    let all = store::all(unit.conn(), currencies, payout_id).await?;
    if all.iter().any(|tx| tx.raw.is_some()) {
        return Err(SIGNED);
    }
    for tx in all.iter().filter(|tx| tx.state == TxState::Drafted) {
        drop_draft(unit, currencies, tx, why).await?;
    }
    Ok(())
}

/// Gives a draft up: what only it would have spent is free, and where its change would have gone is used
/// again. When it was the only transaction of its payout, the withdrawals wait again. The caller holds the
/// locks of [`lock`], and knows that nobody can have a signature.
pub(super) async fn drop_draft(
    unit: &mut Unit,
    currencies: &Currencies,
    draft: &TxRow,
    why: &str,
) -> Result<()> {
    let (now, payout, code) = (unit.now(), draft.payout_id, draft.coin.code);
    store::dropped(unit.conn(), draft.id, why).await?;
    lock_store::release_unplanned(unit.conn(), payout).await?;
    let all = store::all(unit.conn(), currencies, payout).await?;
    let mut others = all.iter().filter(|tx| tx.state != TxState::Dropped);
    if let Some((_, change)) = draft.plan.change() {
        let is_shared = all.iter().any(|tx| {
            let other = tx.plan.change().map(|(_, other)| other.index);
            tx.id != draft.id && other == Some(change.index) && may_be_signed(tx)
        });
        if !is_shared && !draft.is_downloaded {
            coins_store::free_change(unit.conn(), code.as_str(), change.index).await?;
        }
    }
    if others.next().is_none() {
        rider_store::leave(unit.conn(), payout).await?;
        store::ended(unit.conn(), payout, now).await?;
    }
    withdrawals::notify_worker(unit.conn()).await
}

/// Whether a signature exists or may come to exist: whoever has the file of a dropped draft may sign it
/// yet. Where the change of such a one goes is never used again.
fn may_be_signed(tx: &TxRow) -> bool {
    tx.state != TxState::Dropped || tx.is_downloaded || tx.raw.is_some()
}

/// Gives up what the chain has decided: drafts whose coins another transaction took, and payouts whose
/// withdrawals have all ended and of which nothing can be mined any more.
pub(super) async fn give_up(gateway: &Gateway, coin: Currency, tip_height: i64) -> Result<()> {
    let mut conn = gateway.side_pool().acquire().await?;
    let deep = gateway.final_depth(&mut conn, coin).await?;
    let drafts = follow_store::dead_drafts(&mut conn, coin, tip_height, deep).await?;
    let payouts = follow_store::finished(&mut conn, coin, tip_height, deep).await?;
    drop(conn);
    for (payout, id) in drafts {
        let inner = gateway.clone();
        gateway
            .book()
            .commit(move |unit| {
                Box::pin(async move {
                    lock(unit, inner.currencies(), payout).await?;
                    // Again, under the locks.
                    let dead =
                        follow_store::dead_drafts(unit.conn(), coin, tip_height, deep).await?;
                    if !dead.contains(&(payout, id)) {
                        return Ok(());
                    }
                    let draft = store::find(unit.conn(), inner.currencies(), id).await?;
                    let why = "another transaction took one of its coins";
                    drop_draft(unit, inner.currencies(), &draft, why).await
                })
            })
            .await?;
    }
    for payout in payouts {
        gateway
            .book()
            .commit(move |unit| {
                Box::pin(async move {
                    let now = unit.now();
                    store::lock_payout(unit.conn(), payout).await?;
                    let finished =
                        follow_store::finished(unit.conn(), coin, tip_height, deep).await?;
                    if !finished.contains(&payout) {
                        return Ok(());
                    }
                    store::drop_all(unit.conn(), payout).await?;
                    store::ended(unit.conn(), payout, now).await?;
                    lock_store::release_unplanned(unit.conn(), payout).await?;
                    // Others may have waited for these coins.
                    withdrawals::notify_worker(unit.conn()).await
                })
            })
            .await?;
    }
    Ok(())
}
