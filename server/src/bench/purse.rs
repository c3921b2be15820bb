//! One key with one coin on a private network: the node needs no wallet to pay.
//!
//! Invariant: the change of a payment is spent by the next one, so each payment has to be in a block before
//! another is drafted. No amount passes through a float.

use anyhow::{Context, ensure};
use serde::Deserialize;
use serde_json::{Value, json};

use super::regtest::Regtest;

/// A key of test networks that everybody knows: 32 bytes of 1.
const KEY: &str = "cMceqPhHedrhbcR9eXgzmfWy7kRqLyAxMYwFT6ABDWsiwUp9Nsq9";
/// Blocks until a reward can be spent.
const MATURITY: u32 = 100;
/// Reward of a block below height 150, satoshi.
const REWARD: u64 = 5_000_000_000;
/// For each payment, satoshi: above what every node asks for the size of one.
const FEE: u64 = 10_000;
const SATOSHI: u64 = 100_000_000;
/// Digits after the point of an amount.
const DIGITS: usize = 8;
/// Where the change is among the outputs of a payment.
const CHANGE: u32 = 1;
/// The sequence number of payments that may be replaced (BIP 125), as those of most wallets.
const REPLACEABLE: u32 = 0xffff_fffd;

/// The key's only coin.
pub(super) struct Purse {
    address: String,
    txid: String,
    vout: u32,
    /// Satoshi.
    worth: u64,
}

/// A signed payment that was not sent.
pub(super) struct Draft {
    hex: String,
    /// Satoshi that come back.
    change: u64,
}

#[derive(Deserialize)]
struct Described {
    descriptor: String,
}

#[derive(Deserialize)]
struct BlockIds {
    tx: Vec<String>,
}

#[derive(Deserialize)]
struct Signed {
    hex: String,
    complete: bool,
}

impl Purse {
    /// Mines a reward for itself, and on top what makes it spendable.
    ///
    /// # Errors
    /// The node says no.
    pub(super) async fn filled(node: &Regtest) -> anyhow::Result<Self> {
        let private = format!("wpkh({KEY})");
        let Described { descriptor } = node.call("getdescriptorinfo", json!([private])).await?;
        let addresses: Vec<String> = node.call("deriveaddresses", json!([descriptor])).await?;
        let address = addresses.into_iter().next().context("no address")?;
        let hashes = node.mine(1, &address).await?;
        node.mine(MATURITY, &address).await?;
        let block: BlockIds = node.call("getblock", json!([hashes.first(), 1])).await?;
        Ok(Self {
            address,
            txid: block.tx.into_iter().next().context("an empty block")?,
            vout: 0,
            worth: REWARD,
        })
    }

    /// Signs a payment of `amount`, a decimal number of bitcoins, to `address`.
    ///
    /// # Errors
    /// There is not so much, or the node says no.
    pub(super) async fn draft(
        &self,
        node: &Regtest,
        address: &str,
        amount: &str,
    ) -> anyhow::Result<Draft> {
        let paid = satoshi(amount).with_context(|| format!("{amount} is no amount"))?;
        let change = self
            .worth
            .checked_sub(paid)
            .and_then(|rest| rest.checked_sub(FEE));
        let change = change.context("the purse is empty")?;
        let inputs = json!([{ "txid": self.txid, "vout": self.vout, "sequence": REPLACEABLE }]);
        let outputs = json!([output(address, paid), output(&self.address, change)]);
        let unsigned: String = node
            .call("createrawtransaction", json!([inputs, outputs]))
            .await?;
        let signed: Signed = node
            .call("signrawtransactionwithkey", json!([unsigned, [KEY]]))
            .await?;
        ensure!(signed.complete, "the node cannot sign with the bench's key");
        Ok(Draft {
            hex: signed.hex,
            change,
        })
    }

    /// Broadcasts a payment.
    ///
    /// # Errors
    /// The node refuses it.
    pub(super) async fn send(&mut self, node: &Regtest, draft: Draft) -> anyhow::Result<()> {
        self.txid = node.call("sendrawtransaction", json!([draft.hex])).await?;
        self.vout = CHANGE;
        self.worth = draft.change;
        Ok(())
    }

    /// Puts what waits into a block.
    ///
    /// # Errors
    /// The node says no.
    pub(super) async fn confirm(&self, node: &Regtest) -> anyhow::Result<()> {
        node.mine(1, &self.address).await?;
        Ok(())
    }
}

fn output(address: &str, satoshi: u64) -> Value {
    json!({ address: decimal(satoshi) })
}

/// As the node reads it.
fn decimal(satoshi: u64) -> String {
    format!("{}.{:08}", satoshi / SATOSHI, satoshi % SATOSHI)
}

/// A plain decimal with at most eight digits after the point; `None` for anything else.
fn satoshi(text: &str) -> Option<u64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let is_plain = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    if !is_plain(whole) || !is_plain(fraction) || fraction.len() > DIGITS {
        return None;
    }
    let whole: u64 = whole.parse().ok()?;
    let fraction: u64 = format!("{fraction:0<DIGITS$}").parse().ok()?;
    whole.checked_mul(SATOSHI)?.checked_add(fraction)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_and_written_to_the_satoshi() {
        let check =
            |text: &str, expected: Option<u64>| assert_eq!(satoshi(text), expected, "{text}");
        check("0.00019231", Some(19_231));
        check("1", Some(SATOSHI));
        check("12.5", Some(1_250_000_000));
        check("0.000192310", None);
        for wrong in ["", ".1", "1.", "-1", "1e-4", "0,1"] {
            check(wrong, None);
        }
        assert_eq!(decimal(19_231), "0.00019231");
        assert_eq!(decimal(4_999_980_769), "49.99980769");
        assert_eq!(output("a", 1), json!({ "a": "0.00000001" }));
    }
}
