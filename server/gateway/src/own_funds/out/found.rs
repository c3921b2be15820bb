//! What a transaction took from accounts of ours, as the chain says, and whether that can be booked.

use domain::money::Money;
use sqlx::PgConnection;

use super::store::{self, Booking};
use crate::chain::evm::{Moved, Sent};
use crate::chain::{Chain, base_units};
use crate::own_funds::refused;
use crate::treasury::{Treasury, cost};
use crate::withdrawals::on_chain_store::ours;
use crate::{Error, Gateway, Result};

/// What left our accounts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Taken {
    /// Of the chain's coin, less what came back to us; not below 0.
    pub(super) amount: Money,
    /// On chains of accounts only.
    pub(super) from: Option<FromAccount>,
}

/// What an account paid, and where that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct FromAccount {
    /// Of the coin that gas is paid with.
    pub(super) gas: Money,
    pub(super) address: String,
    /// Base units, also when they went to another account of ours.
    pub(super) raw_sent: u128,
    /// Wei.
    pub(super) raw_cost: u128,
    pub(super) block_hash: String,
}

impl Taken {
    /// One amount for each coin of which something left.
    pub(super) fn parts(&self) -> Vec<Money> {
        parts(self.amount, self.from.as_ref().map(|from| from.gas))
    }
}

pub(super) fn parts(amount: Money, gas: Option<Money>) -> Vec<Money> {
    let mut parts = vec![amount];
    match gas {
        Some(gas) if gas.currency().id == amount.currency().id => {
            let all = amount.units() + gas.units();
            parts = vec![Money::from_units(all, amount.currency())];
        }
        Some(gas) => parts.push(gas),
        None => {}
    }
    parts.retain(Money::is_positive);
    parts
}

/// What is right for a transaction.
#[derive(Debug)]
pub(super) enum Step {
    /// With how often it was booked before.
    Book(Taken, i32),
    TakeBack(Booking),
    /// The books say what the chain says.
    Nothing,
}

/// The same before its amounts are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Book,
    TakeBack,
    Nothing,
}

/// What the node says of a transaction; where coins are outputs, the chain tables say all there is.
pub(super) async fn asked(chain: &Chain, txid: &str) -> Result<Option<Sent>> {
    match chain.payer.treasury() {
        Some(treasury) => treasury.sent(txid).await,
        None => Ok(None),
    }
}

/// What is right for a transaction now. `sent` is what [`asked`] answered.
///
/// # Errors
/// [`Error::Invalid`] on `txid` with the reason why nothing can be booked.
pub(super) async fn step(
    gateway: &Gateway,
    conn: &mut PgConnection,
    chain: &Chain,
    txid: &str,
    sent: Option<&Sent>,
) -> Result<Step> {
    let booking = store::booking(conn, chain.params.code, txid).await?;
    let is_ours = !ours(conn, chain.coin, &[txid]).await?.is_empty();
    let is_booked = booking.is_some_and(|booking| booking.is_booked);
    let found = match chain.payer.treasury() {
        _ if is_ours || is_booked => None,
        Some(treasury) => match sent {
            Some(sent) => Some(by_account(gateway, conn, chain, treasury, txid, sent).await?),
            None => None,
        },
        None => by_coins(conn, chain, txid).await?,
    };
    let depth = gateway.final_depth(conn, chain.coin).await?;
    let blocks = found.as_ref().map(|(_, blocks)| *blocks);
    Ok(
        match (verdict(booking, is_ours, blocks, depth)?, booking, found) {
            (Verdict::Book, _, Some((taken, _))) => {
                Step::Book(taken, booking.map_or(0, |booking| booking.count))
            }
            (Verdict::TakeBack, Some(booking), _) => Step::TakeBack(booking),
            _ => Step::Nothing,
        },
    )
}

/// `blocks`: of our chain, from the transaction's own on; `None` when nothing of ours was found in it.
fn verdict(
    booking: Option<Booking>,
    is_ours: bool,
    blocks: Option<i64>,
    depth: i64,
) -> Result<Verdict> {
    match (booking, blocks) {
        (Some(booking), _) if booking.is_booked => Ok(if booking.is_there && !is_ours {
            Verdict::Nothing
        } else {
            Verdict::TakeBack
        }),
        _ if is_ours => Err(refused(
            "was made here, so it is in the books as what it is; nothing was booked",
        )),
        (_, Some(blocks)) if blocks >= depth => Ok(Verdict::Book),
        (Some(_), None | Some(0)) => Ok(Verdict::Nothing),
        (_, Some(blocks)) => Err(refused(format!(
            "is in the chain with {blocks} of {depth} blocks; nothing was booked. Try again when it has them"
        ))),
        (None, None) => Err(refused(
            "takes nothing from an account of ours that is known here; nothing was booked. A block that was not \
             read yet has to be read first",
        )),
    }
}

fn ledger(chain: &Chain, raw: u128) -> Result<Money> {
    let digits = base_units::digits(chain.params);
    base_units::to_ledger(chain.coin, digits, raw)
        .map(|units| Money::from_units(units, chain.coin))
        .ok_or_else(|| Error::Internal(format!("a transaction of {raw} base units")))
}

/// Where coins are outputs: those of ours it spends, less those of its own that are ours and nobody's payment.
async fn by_coins(
    conn: &mut PgConnection,
    chain: &Chain,
    txid: &str,
) -> Result<Option<(Taken, i64)>> {
    let Some(spent) = store::spent(conn, chain.coin, txid).await? else {
        return Ok(None);
    };
    if spent.spent == 0 {
        return Ok(None);
    }
    if spent.is_awaited {
        return Err(refused(
            "spends coins of a withdrawal that waits for a decision; nothing was booked. End that one first, on the \
             page of suspense: it may have been paid by this",
        ));
    }
    let left = spent.spent.checked_sub(spent.back).filter(|left| *left > 0);
    let Some(left) = left else {
        return Err(refused(
            "brings our accounts as much as it takes, or more; nothing was booked. Only what leaves is booked here",
        ));
    };
    let taken = Taken {
        amount: ledger(chain, left)?,
        from: None,
    };
    Ok(Some((taken, spent.blocks)))
}

/// On chains of accounts: what the node says it moved, and its gas.
async fn by_account(
    gateway: &Gateway,
    conn: &mut PgConnection,
    chain: &Chain,
    treasury: &Treasury,
    txid: &str,
    sent: &Sent,
) -> Result<(Taken, i64)> {
    let code = chain.params.code;
    let address = sent.from.to_string();
    if !store::is_ours(conn, &address).await? {
        return Err(refused("is from no account of ours; nothing was booked"));
    }
    if store::is_booked_elsewhere(conn, code, txid).await? {
        return Err(refused(
            "is booked as another coin already; nothing was booked",
        ));
    }
    let (to, raw) = match sent.moved {
        Moved::Nothing => (None, 0),
        Moved::Plainly { to, raw } => (Some(to.to_string()), raw),
        Moved::Otherwise => {
            return Err(refused(format!(
                "does something else than move {code}; nothing was booked. A plain transfer of another coin is booked \
                 as that coin; what a contract did cannot be booked"
            )));
        }
    };
    let number = store::Number {
        chain_id: treasury.chain_id()?,
        address: &address,
        nonce: sent.nonce,
    };
    let paid = to.as_deref().map(|to| (code, to, raw));
    match store::payment(conn, number, paid).await? {
        None | Some((true, false)) => {}
        Some((true, true)) => {
            return Err(refused(
                "pays what a payment with its number was to pay; nothing was booked. Bring its signed bytes on the \
                 page of payments, or end the withdrawal",
            ));
        }
        Some((false, _)) => {
            return Err(refused(
                "has the number of a payment of which it is not known yet what became; nothing was booked",
            ));
        }
    }
    let all = ledger(chain, raw)?;
    let stays = match &to {
        Some(to) => store::is_ours(conn, to).await?,
        None => false,
    };
    let taken = Taken {
        amount: if stays { Money::zero(chain.coin) } else { all },
        from: Some(FromAccount {
            gas: cost(gateway, sent.cost)?,
            address,
            raw_sent: raw,
            raw_cost: sent.cost,
            block_hash: sent.block_hash.clone(),
        }),
    };
    let blocks = store::blocks(conn, code, &sent.block_hash).await?;
    Ok((taken, blocks))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn booking(is_booked: bool, is_there: bool) -> Option<Booking> {
        Some(Booking {
            is_booked,
            count: 1,
            amount: 5,
            gas: None,
            is_there,
        })
    }

    #[test]
    fn the_books_follow_the_chain() {
        for (booking, is_ours, blocks, expected) in [
            (None, false, Some(8), Some(Verdict::Book)),
            (None, false, Some(7), None),
            (None, false, None, None),
            // A payment of this instance is no taking out, and stops being one when it is found to be a payment.
            (None, true, Some(8), None),
            (booking(true, true), true, None, Some(Verdict::TakeBack)),
            (booking(true, true), false, None, Some(Verdict::Nothing)),
            (booking(true, false), false, None, Some(Verdict::TakeBack)),
            (booking(false, false), false, None, Some(Verdict::Nothing)),
            (
                booking(false, false),
                false,
                Some(0),
                Some(Verdict::Nothing),
            ),
            (booking(false, false), false, Some(1), None),
            (booking(false, true), false, Some(8), Some(Verdict::Book)),
        ] {
            let found = verdict(booking, is_ours, blocks, 8).ok();
            assert_eq!(found, expected, "{booking:?} {is_ours} {blocks:?}");
        }
    }
}
