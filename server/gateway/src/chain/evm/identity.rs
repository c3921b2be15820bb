//! Whether a node is the one the settings mean.

use serde_json::json;

use super::account::Account;
use super::config::{NETWORK, Network, TOKEN_USDT};
use super::erc20;
use super::node::Asset;
use super::quantity::{Bytes, Hash, Quantity, word_number, write_bytes};
use super::rpc::{Call, Rpc, RpcError};
use super::wire::Header;
use crate::{Error, Result};

/// What nodes answer that have deleted the blocks of long ago.
const CODE_PRUNED: i64 = 4444;

/// Compares chain id, first block and the token's contract.
///
/// # Errors
/// [`Error::Internal`] naming what differs, and the setting that says otherwise.
pub(super) async fn check(rpc: &Rpc, network: Network, asset: Asset) -> Result<()> {
    check_network(rpc, network).await?;
    match asset {
        Asset::Native => Ok(()),
        Asset::Token { contract, digits } => check_token(rpc, contract, digits).await,
    }
}

async fn check_network(rpc: &Rpc, network: Network) -> Result<()> {
    let first = Call::new("eth_getBlockByNumber", json!(["0x0", false]));
    let [id, first] = rpc
        .batch([Call::new("eth_chainId", json!([])), first])
        .await?;
    let id: Quantity = id.read()?;
    if id.0 != u128::from(network.chain_id()) {
        let (node, id) = (rpc.node(), id.0);
        return Err(Error::Internal(format!(
            "the node at {node} follows chain {id}, but {NETWORK} says {network}"
        )));
    }
    let Some(expected) = network.first_block() else {
        return Ok(());
    };
    match first.read::<Option<Header>>() {
        Ok(Some(found)) if found.hash.0 == expected => Ok(()),
        Ok(found) => {
            let found = found.map_or_else(|| "none".to_owned(), |found| found.hash.0);
            let node = rpc.node();
            Err(Error::Internal(format!(
                "the first block of {network} is {expected}; the node at {node} has {found}"
            )))
        }
        Err(RpcError::Refused {
            code: CODE_PRUNED, ..
        }) => {
            tracing::warn!(node = rpc.node(), "the node has deleted its first block");
            Ok(())
        }
        Err(error) => Err(error.into()),
    }
}

async fn check_token(rpc: &Rpc, contract: Account, digits: u32) -> Result<()> {
    let call = json!({ "to": contract.to_string(), "data": write_bytes(&erc20::decimals()) });
    let [code, decimals] = rpc
        .batch([
            Call::new("eth_getCode", json!([contract.to_string(), "latest"])),
            Call::new("eth_call", json!([call, "latest"])),
        ])
        .await?;
    if code.read::<Bytes>()?.0.is_empty() {
        return Err(Error::Internal(format!(
            "{TOKEN_USDT} says {contract}; there is no contract at it"
        )));
    }
    let word: Hash = decimals.read().map_err(|error| {
        Error::Internal(format!(
            "{TOKEN_USDT} says {contract}, which is no token: {error}"
        ))
    })?;
    let found = word.bytes().map(|word| word_number(&word));
    if found == Some(u128::from(digits)) {
        return Ok(());
    }
    Err(Error::Internal(format!(
        "{TOKEN_USDT} says {contract}; its token has {} decimals instead of {digits}",
        found.unwrap_or_default()
    )))
}
