//! Gives a signed transaction to the network.

use serde::de::IgnoredAny;
use serde_json::json;
use sha3::{Digest, Keccak256};

use super::quantity::{Hash, write_bytes};
use super::rpc::{Rpc, RpcError};
use crate::{Error, Result};

const SEND: &str = "eth_sendRawTransaction";
const FIND: &str = "eth_getTransactionByHash";

/// Why a node does not take a transaction. There are no codes for it, so the words decide.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Refusal {
    /// It has it already.
    Known,
    /// Another one with this nonce is in a block.
    NonceUsed,
    /// Another one with this nonce waits and pays about as much.
    Underpriced,
    /// Anything else, such as no money for gas: may be different later.
    Other,
}

/// The id of a signed transaction, as nodes show it.
pub(super) fn txid(raw: &[u8]) -> String {
    write_bytes(&Keccak256::digest(raw))
}

/// Sends the bytes; the same ones again change nothing.
///
/// # Errors
/// [`Error::Conflict`] when another transaction has the nonce; [`Error::Internal`] for every other
/// refusal and for a node that is away.
pub(super) async fn send(rpc: &Rpc, raw: &[u8]) -> Result<()> {
    let txid = txid(raw);
    let error = match rpc.call::<Hash>(SEND, json!([write_bytes(raw)])).await {
        Ok(hash) if hash.0 == txid => return Ok(()),
        Ok(hash) => {
            let problem = format!("transaction {} instead of {txid}", hash.0);
            return Err(rpc.unreadable(SEND, problem).into());
        }
        Err(error) => error,
    };
    let refusal = match &error {
        RpcError::Refused { message, .. } => judge(message),
        _ => return Err(error.into()),
    };
    // A transaction that is in a block has used its own nonce.
    if refusal == Refusal::Known || knows(rpc, &txid).await? {
        return Ok(());
    }
    tracing::warn!(txid, %error, "the network does not take a transaction");
    match refusal {
        Refusal::NonceUsed => Err(Error::Conflict(
            "another transaction of the sender has used this nonce",
        )),
        Refusal::Underpriced => Err(Error::Conflict(
            "another transaction of the sender waits with this nonce and pays about as much",
        )),
        Refusal::Known | Refusal::Other => Err(error.into()),
    }
}

async fn knows(rpc: &Rpc, txid: &str) -> Result<bool> {
    let found: Option<IgnoredAny> = rpc.call(FIND, json!([txid])).await?;
    Ok(found.is_some())
}

fn judge(message: &str) -> Refusal {
    let words: String = message
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|c| c.to_ascii_lowercase())
        .collect();
    let says = |parts: &[&str]| parts.iter().any(|part| words.contains(part));
    if says(&["alreadyknown", "alreadyimported", "alreadyexists"]) {
        Refusal::Known
    } else if says(&["noncetoolow", "nonceistoolow", "oldnonce"]) {
        Refusal::NonceUsed
    } else if words.contains("replacement") && says(&["underpriced", "notallowed"]) {
        Refusal::Underpriced
    } else {
        Refusal::Other
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_are_told_apart_in_the_words_of_every_node() {
        for (message, expected) in [
            ("already known", Refusal::Known),
            ("ALREADY_EXISTS: already known", Refusal::Known),
            ("AlreadyKnown", Refusal::Known),
            // Too much like the one below; the node is asked whether it has it.
            ("Known transaction", Refusal::Other),
            ("transaction already imported", Refusal::Known),
            ("nonce too low", Refusal::NonceUsed),
            (
                "nonce too low: next nonce 5, tx nonce 4",
                Refusal::NonceUsed,
            ),
            ("OldNonce", Refusal::NonceUsed),
            ("replacement transaction underpriced", Refusal::Underpriced),
            ("ReplacementNotAllowed", Refusal::Underpriced),
            ("transaction underpriced", Refusal::Other),
            ("insufficient funds for gas * price + value", Refusal::Other),
            ("nonce too high", Refusal::Other),
            ("unknown transaction type", Refusal::Other),
            ("", Refusal::Other),
        ] {
            assert_eq!(judge(message), expected, "{message}");
        }
    }
}
