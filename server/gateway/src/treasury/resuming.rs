//! Going on after somebody else has used the key of an account.

use domain::view::operate::{ChangeRow, ReviewView};
use serde_json::json;

use super::by_hand::NO_TREASURY;
use super::store::{self, Place};
use super::wallet::Treasury;
use crate::chain::evm;
use crate::operator::{audit_log, reason};
use crate::withdrawals::store as withdrawals;
use crate::{Error, Gateway, Result};

const NOT_PAUSED: Error = Error::Conflict("payments are not paused");
/// It may be mined or vanish: numbers behind it would be wrong either way.
const FOREIGN_WAITS: Error = Error::Conflict(
    "the network has a transaction of this account that waits for a block and was not made here: go on when it is in \
     one, or gone",
);

impl Gateway {
    /// Goes on paying from the account of a coin after somebody else has used its key. Numbers that were
    /// used up are left out; withdrawals that lost theirs wait for a person each.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Conflict`] when it was not paused, or a transaction waits that was not made
    /// here; [`Error::Invalid`] on `reason`; the node's.
    pub async fn resume_treasury(&self, code: &str, why: &str, by: &str) -> Result<()> {
        let why = reason(why)?;
        let chain = self.chains().get(code).ok_or(Error::NotFound)?;
        let treasury = chain.payer.treasury().ok_or(NO_TREASURY)?;
        let place = Place {
            chain_id: treasury.chain_id()?,
            address: treasury.address(),
        };
        self.resume(treasury, place, why, by).await
    }

    /// The same for any account of ours: the one that pays, or the address of a deposit, which is swept again
    /// afterwards.
    ///
    /// # Errors
    /// As [`Self::resume_treasury`]; [`Error::NotFound`] for an account that has no numbers here.
    pub async fn resume_account(&self, address: &str, why: &str, by: &str) -> Result<()> {
        let why = reason(why)?;
        let (treasury, place) = self.place_of(address).await?;
        self.resume(treasury, place, why, by).await
    }

    /// What going on would mean; changes nothing.
    ///
    /// # Errors
    /// [`Error::NotFound`] for an account that has no numbers here; [`Error::Conflict`] when it is not paused.
    pub async fn review_resume(&self, address: &str) -> Result<ReviewView> {
        let (_, place) = self.place_of(address).await?;
        let mut conn = self.pool().acquire().await?;
        let paused = store::paused(&mut conn, &place).await?.ok_or(NOT_PAUSED)?;
        let path = format!("/app/operate/treasury/accounts/{}", place.address);
        Ok(ReviewView {
            title: "Review going on with payments".to_owned(),
            rows: vec![ChangeRow {
                label: format!("Payments from {}", place.address),
                before: format!("Paused: {paused}"),
                after: "Go on".to_owned(),
            }],
            notes: vec![
                "Only when nobody else has the key: whoever has it can take everything the account has.".to_owned(),
                "Numbers that were used elsewhere are left out. Withdrawals that lost theirs wait for a \
                 person each, on the page of suspense."
                    .to_owned(),
            ],
            hidden: Vec::new(),
            action: path,
            back: "/app/operate/treasury".to_owned(),
            reason: String::new(),
            notice: None,
        })
    }

    /// Whose numbers an address has.
    async fn place_of(&self, address: &str) -> Result<(&Treasury, Place)> {
        let account: evm::Account = address.parse().map_err(|_| Error::NotFound)?;
        let mut conn = self.pool().acquire().await?;
        for chain in self.chains().all() {
            let Some(treasury) = chain.payer.treasury() else {
                continue;
            };
            let place = Place {
                chain_id: treasury.chain_id()?,
                address: account.to_string(),
            };
            if store::is_known(&mut conn, &place).await? {
                return Ok((treasury, place));
            }
        }
        Err(Error::NotFound)
    }

    async fn resume(&self, treasury: &Treasury, place: Place, why: String, by: &str) -> Result<()> {
        let account: evm::Account = place.address.parse().map_err(Error::internal)?;
        let funds = treasury.node.funds(account).await?;
        let mined = i64::try_from(funds.mined)?;
        let known = i64::try_from(funds.mined.max(funds.waiting))?;
        let by = by.to_owned();
        self.book()
            .commit(move |unit| {
                Box::pin(async move {
                    let now = unit.now();
                    if !store::is_known(unit.conn(), &place).await? {
                        return Err(NOT_PAUSED);
                    }
                    let book = store::lock(unit.conn(), &place, mined, now).await?;
                    if book.paused_why.is_none() {
                        return Err(NOT_PAUSED);
                    }
                    // What is in no block may vanish, and would leave a gap for ever: only what is mined is left
                    // out.
                    let next = mined.max(book.next_nonce);
                    if known > next {
                        return Err(FOREIGN_WAITS);
                    }
                    store::resume(unit.conn(), &place, next, now).await?;
                    let object = format!("treasury:{}", place.address);
                    let data = json!({ "next_nonce": next, "reason": why });
                    let action = "treasury.resume";
                    audit_log::record(unit.conn(), now, &by, action, &object, &data).await?;
                    withdrawals::notify_worker(unit.conn()).await
                })
            })
            .await
    }
}
