//! What addresses have by the node's set of unspent outputs: a witness that shares nothing with what the
//! follower read.
//!
//! Invariant: all of one answer is about one block.

use std::time::Duration;

use serde::Deserialize;
use serde_json::json;
use serde_json::value::RawValue;

use super::amount::satoshi;
use super::error::NodeError;
use super::node::BitcoinCore;
use super::reading::{ReadError, TxKind};
use super::rpc::Rpc;
use crate::chain::address::output_address;
use crate::chain::backend::{Held, Holdings, OutPoint};

const SCAN: &str = "scantxoutset";
/// Addresses of one scan: each goes through all unspent outputs, however few it looks for.
const ADDRESSES_MAX: usize = 10_000;
/// The main network takes some minutes on a slow disk.
const SCAN_LIMIT: Duration = Duration::from_secs(30 * 60);
/// How often the scans begin again because a block came between two of them.
const ATTEMPTS: u32 = 5;

/// What a scan answers.
#[derive(Deserialize)]
struct ScanJson {
    success: bool,
    height: i64,
    bestblock: String,
    unspents: Vec<UnspentJson>,
}

#[derive(Deserialize)]
struct UnspentJson {
    txid: String,
    vout: u32,
    #[serde(rename = "scriptPubKey")]
    script: String,
    amount: Box<RawValue>,
    height: i64,
    /// Older nodes do not say.
    coinbase: Option<bool>,
}

impl BitcoinCore {
    /// Unspent outputs of blocks to the addresses.
    pub(super) async fn scan(&self, addresses: &[String]) -> Result<Holdings, NodeError> {
        self.ensure_checked().await?;
        let rpc = Rpc::new(
            self.config.url.clone(),
            self.config.credentials.clone(),
            SCAN_LIMIT,
        )?;
        for _ in 0..ATTEMPTS {
            if let Some(holdings) = self.scan_once(&rpc, addresses).await? {
                return Ok(holdings);
            }
        }
        Err(NodeError::unreadable(
            "the unspent outputs",
            &ReadError::new("a block came between any two scans"),
        ))
    }

    /// `None` when a block came in between.
    async fn scan_once(
        &self,
        rpc: &Rpc,
        addresses: &[String],
    ) -> Result<Option<Holdings>, NodeError> {
        let mut found: Option<Holdings> = None;
        // Without an address there is a best block all the same.
        let mut chunks: Vec<&[String]> = addresses.chunks(ADDRESSES_MAX).collect();
        if chunks.is_empty() {
            chunks.push(&[]);
        }
        for chunk in chunks {
            let wanted: Vec<String> = chunk
                .iter()
                .map(|address| format!("addr({address})"))
                .collect();
            let answer = rpc.call(SCAN, json!(["start", wanted])).await;
            let scan: ScanJson = self.noticing(answer)?;
            if !scan.success {
                return Err(NodeError::unreadable(
                    "the unspent outputs",
                    &ReadError::new("the scan was given up"),
                ));
            }
            let held = scan
                .unspents
                .iter()
                .filter_map(|unspent| self.held(unspent, scan.height).transpose())
                .collect::<Result<Vec<Held>, ReadError>>()
                .map_err(|error| NodeError::unreadable("an unspent output", &error))?;
            match &mut found {
                None => {
                    found = Some(Holdings {
                        hash: scan.bestblock,
                        height: scan.height,
                        held,
                    });
                }
                Some(known) if known.hash == scan.bestblock => known.held.extend(held),
                Some(_) => return Ok(None),
            }
        }
        Ok(found)
    }

    fn held(&self, unspent: &UnspentJson, tip: i64) -> Result<Option<Held>, ReadError> {
        let script = hex::decode(&unspent.script).map_err(ReadError::new)?;
        let text = unspent.amount.get();
        let raw =
            satoshi(text).ok_or_else(|| ReadError::new(format!("{text} is no amount of coins")))?;
        let Some(address) = output_address(self.config.coin, &script).filter(|_| raw > 0) else {
            return Ok(None);
        };
        Ok(Some(Held {
            address,
            place: Some(OutPoint {
                txid: unspent.txid.clone(),
                vout: i32::try_from(unspent.vout).map_err(ReadError::new)?,
            }),
            raw,
            may_be_immature: may_be_immature(unspent, tip),
        }))
    }
}

/// Whether the follower may hold it back. Payments out of Litecoin's extension block look like any other
/// here, so there every young one may be.
fn may_be_immature(unspent: &UnspentJson, tip: i64) -> bool {
    let confirmations = tip - unspent.height + 1;
    let wait = match unspent.coinbase {
        Some(false) => TxKind::PegOut,
        Some(true) | None => TxKind::Coinbase,
    };
    confirmations < wait.blocks_to_spend()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn unspent(height: i64, coinbase: &str) -> UnspentJson {
        let json = format!(
            r#"{{"txid": "aa", "vout": 1, "scriptPubKey": "51", "desc": "raw(51)#x",
                "amount": 0.10000000, "height": {height}{coinbase}}}"#
        );
        serde_json::from_str(&json).unwrap()
    }

    #[test]
    fn a_reward_waits_for_its_hundredth_block() {
        let reward = |height| unspent(height, r#", "coinbase": true"#);
        assert!(may_be_immature(&reward(2), 100));
        assert!(!may_be_immature(&reward(1), 100));
    }

    #[test]
    fn nodes_that_do_not_say_leave_it_open() {
        assert!(may_be_immature(&unspent(2, ""), 100));
        assert!(!may_be_immature(&unspent(1, ""), 100));
    }

    #[test]
    fn a_payment_waits_for_what_a_peg_out_waits() {
        let payment = |height| unspent(height, r#", "coinbase": false"#);
        assert!(may_be_immature(&payment(96), 100));
        assert!(!may_be_immature(&payment(95), 100));
    }

    #[test]
    fn amounts_are_read_without_a_float() {
        assert_eq!(satoshi(unspent(1, "").amount.get()), Some(10_000_000));
    }
}
