//! A refund claim behind its mailed link: why there is money, where it shall go, how far it has
//! come (ux §1.18b).
//!
//! Invariant: a link takes one address, once; whoever opens it later sees where the claim stands and
//! changes nothing. A link that is over shows no amount.

use domain::money::Money;
use domain::view::claim::{ClaimOver, ClaimOverReason, ClaimStage, ClaimStep, ClaimView};
use serde_json::json;

use super::checkout::exact;
use super::claim_found::{Found, why};
use super::claim_link::{TRACKER_LIFE, claim_path, token_hash};
use super::claim_link_store::{self, LinkUse};
use super::needs::Books;
use super::refundable::{checked_address, refundable};
use super::{claim_store, refunds, store};
use crate::ledger::{Log, PAYERS};
use crate::{Error, Gateway, Result};

/// Field of the address in forms and errors.
const ADDRESS: &str = "address";

/// What a link shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClaimLink {
    Open(Box<ClaimView>),
    /// No further: whom to ask.
    Over(Box<ClaimOver>),
}

/// What became of an address sent through a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClaimUse {
    /// The claim has it now.
    Taken,
    /// It had this very address already: the form was sent twice.
    Again,
    /// The link was used with another address; nothing was changed.
    UsedUp,
    /// The link is over; nothing was changed.
    Over,
}

impl Gateway {
    /// The page of a mailed refund link.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a token that no claim has (any more).
    pub async fn claim(&self, token: &str) -> Result<ClaimLink> {
        let found = self.find_claim(token).await?;
        let claim = &found.claim;
        let stage = match (ClaimStep::from_word(&claim.state), &claim.address) {
            (Some(step), Some(address)) => ClaimStage::Tracked {
                step,
                address: address.clone(),
                // It is told once the network has it.
                txid: claim.txid.clone().filter(|_| step >= ClaimStep::Sent),
            },
            _ => ClaimStage::Ask {
                typed: found.row.refund_address.clone().unwrap_or_default(),
            },
        };
        self.claim_link(token, found, stage).await
    }

    /// The same with the address checked and shown, before anything is done. A link that cannot take
    /// one any more shows where it stands.
    ///
    /// # Errors
    /// As [`Self::claim`]; [`Error::Invalid`] on `address` when it is none of the coin and network
    /// the money came in.
    pub async fn review_claim(&self, token: &str, typed: &str) -> Result<ClaimLink> {
        let found = self.find_claim(token).await?;
        let now = self.clock().now();
        if found.claim.address.is_some() || found.over(now).is_some() {
            return self.claim(token).await;
        }
        let coin = found.money().map(|(amount, _)| amount.currency());
        let address = checked_address(self, coin, ADDRESS, typed.trim())?;
        let typed = typed.trim().to_owned();
        let stage = ClaimStage::Review { address, typed };
        self.claim_link(token, found, stage).await
    }

    /// Leaves the address the money shall go to and uses the link up. The shop approves, if it has
    /// not yet; an approved claim becomes a withdrawal out of suspense at once.
    ///
    /// # Errors
    /// As [`Self::review_claim`]; [`Error::Conflict`] when an approved claim's money is gone.
    pub async fn use_claim(&self, token: &str, address: &str) -> Result<ClaimUse> {
        let hash = token_hash(token)?;
        let mut conn = self.pool().acquire().await?;
        let known = claim_link_store::find_by_hash(&mut conn, self.currencies(), &hash)
            .await?
            .ok_or(Error::NotFound)?;
        drop(conn);
        let needs = self
            .charge_needs(PAYERS, &known.public_id, Books::Refund)
            .await?;
        let (gateway, address) = (self.clone(), address.trim().to_owned());
        self.book()
            .commit_decision(needs, move |unit| {
                let (gateway, address) = (gateway.clone(), address.clone());
                Box::pin(async move {
                    let currencies = gateway.currencies();
                    let known = claim_link_store::find_by_hash(unit.conn(), currencies, &hash)
                        .await?
                        .ok_or(Error::NotFound)?;
                    let row =
                        store::lock_by_public_id(unit.conn(), currencies, &known.public_id).await?;
                    // Read again: whoever held the lock before may have used the link.
                    let claim = claim_link_store::find_by_hash(unit.conn(), currencies, &hash)
                        .await?
                        .ok_or(Error::NotFound)?;
                    let receipts = store::receipts_of(unit.conn(), currencies, row.id).await?;
                    let found = Found {
                        claim,
                        row,
                        receipts,
                    };
                    let now = unit.now();
                    if found.over(now).is_some() {
                        return Ok(ClaimUse::Over);
                    }
                    let coin = found.money().map(|(amount, _)| amount.currency());
                    if let Some(taken) = &found.claim.address {
                        let same = checked_address(&gateway, coin, ADDRESS, &address)
                            .is_ok_and(|address| address == *taken);
                        return Ok(if same {
                            ClaimUse::Again
                        } else {
                            ClaimUse::UsedUp
                        });
                    }
                    let address = checked_address(&gateway, coin, ADDRESS, &address)?;
                    let Found {
                        claim,
                        row,
                        receipts,
                    } = found;
                    let done = LinkUse {
                        claim_id: claim.id,
                        address: &address,
                        amount: refundable(&row, &receipts),
                        at: now,
                        shown_until: now + TRACKER_LIFE,
                    };
                    if !claim_link_store::use_link(unit.conn(), &done).await? {
                        return Ok(ClaimUse::UsedUp);
                    }
                    claim_store::set_refund_address(unit.conn(), row.id, &address).await?;
                    let data = json!({ "address": address });
                    let kind = "refund_address.left";
                    let line =
                        store::append_timeline(unit.conn(), row.id, now, kind, &data).await?;
                    unit.note_line(Log::Timeline, line, now);
                    refunds::start_if_ready(&gateway, unit, &row, &receipts, "customer").await?;
                    unit.notify(&row.public_id);
                    Ok(ClaimUse::Taken)
                })
            })
            .await
    }

    async fn find_claim(&self, token: &str) -> Result<Found> {
        let hash = token_hash(token)?;
        let mut conn = self.pool().acquire().await?;
        let claim = claim_link_store::find_by_hash(&mut conn, self.currencies(), &hash)
            .await?
            .ok_or(Error::NotFound)?;
        let row = store::find(&mut conn, self.currencies(), &claim.public_id).await?;
        let receipts = store::receipts_of(&mut conn, self.currencies(), row.id).await?;
        Ok(Found {
            claim,
            row,
            receipts,
        })
    }

    async fn claim_link(&self, token: &str, found: Found, stage: ClaimStage) -> Result<ClaimLink> {
        let brand = self.brand(found.row.merchant_id).await?;
        let test_mode = self.settings().test_mode;
        let public_id = found.row.public_id.clone();
        let over = found.over(self.clock().now());
        let (reason, money) = match (over, found.money()) {
            (Some(reason), _) => (reason, None),
            (None, money) => (ClaimOverReason::NothingNow, money),
        };
        let Some((amount, unconfirmed)) = money else {
            return Ok(ClaimLink::Over(Box::new(ClaimOver {
                brand,
                test_mode,
                public_id,
                reason,
            })));
        };
        let coin = amount.currency();
        let info = self.currencies().info(coin.id);
        let coin_name = info.map_or_else(|| coin.code.to_string(), |info| info.name.clone());
        let network = info.and_then(|info| info.network.clone());
        Ok(ClaimLink::Open(Box::new(ClaimView {
            why: why(&found.row, amount),
            network: network.unwrap_or_else(|| coin_name.clone()),
            coin_name,
            amount: exact(amount),
            // A refund costs the payer nothing (`withdrawals/refund.rs`).
            fee: exact(Money::zero(coin)),
            receives: exact(amount),
            unconfirmed,
            approved: found.claim.state == ClaimStep::Approved.word(),
            expires_at: found.claim.expires_at,
            path: claim_path(token),
            brand,
            test_mode,
            public_id,
            stage,
            notice: None,
        })))
    }
}
