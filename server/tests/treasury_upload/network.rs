//! The network behind the node: one in memory, or anvil's.

use serde_json::json;

use crate::anvil::{ALICE, Anvil};
use crate::net::Net;

pub enum Network {
    Memory(Net),
    Anvil(Box<Anvil>),
}

impl Network {
    pub fn port(&self) -> u16 {
        match self {
            Self::Memory(net) => net.port,
            Self::Anvil(anvil) => anvil.port,
        }
    }

    /// Names the account whose transactions may come as bytes.
    pub fn listen_to(&self, payer: &str) {
        if let Self::Memory(net) = self {
            net.listen_to(payer);
        }
    }

    /// Ether for an account, in the next block.
    pub async fn pay(&self, to: &str, wei: u128) {
        match self {
            Self::Memory(net) => net.pay(to, wei),
            Self::Anvil(anvil) => {
                let tx = json!({ "from": ALICE, "to": to, "value": format!("{wei:#x}") });
                anvil.send(tx).await;
            }
        }
    }

    pub async fn mine(&self, blocks: u32) {
        match self {
            Self::Memory(net) => net.mine(blocks),
            Self::Anvil(anvil) => {
                for _ in 0..blocks {
                    anvil.mine().await;
                }
            }
        }
    }

    /// Wei of an account that sends nothing.
    pub async fn has(&self, account: &str) -> u128 {
        match self {
            Self::Memory(net) => net.received(account).iter().sum(),
            Self::Anvil(anvil) => number(anvil, "eth_getBalance", &[account, "latest"]).await,
        }
    }

    /// Transactions of the account that pays which the network knows, in a block or not.
    pub async fn sent(&self, payer: &str) -> u128 {
        match self {
            Self::Memory(net) => u128::from(net.used()) + u128::try_from(net.waiting()).unwrap(),
            Self::Anvil(anvil) => {
                number(anvil, "eth_getTransactionCount", &[payer, "pending"]).await
            }
        }
    }
}

async fn number(anvil: &Anvil, method: &'static str, params: &[&str]) -> u128 {
    let answer = anvil.call(method, json!(params)).await;
    let digits = answer.as_str().unwrap().strip_prefix("0x").unwrap();
    u128::from_str_radix(digits, 16).unwrap()
}
