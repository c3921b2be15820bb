//! A token on an EVM node as a puppet: the contract is [`crate::token_contract`]'s, its payments are calls
//! of it, and all else happens as it does with ether.

use async_trait::async_trait;
use gateway::chain::ChainSettings;
use gateway::chain::evm::Account;

use crate::anvil::{Anvil, BOB, CHAIN_ID};
use crate::ethereum::EtherPuppet;
use crate::puppet::Puppet;
use crate::token_contract::{APPROVE, TRANSFER, TRANSFER_PIECE, call, deploy, transfers};

/// 10 USDT.
const UNIT: u128 = 10_000_000;
/// Enough for a call to begin, too little for it to end.
const GAS_TOO_LITTLE: &str = "0x5848";

pub struct TetherPuppet {
    /// The same node; one account sends everything.
    chain: EtherPuppet,
    /// The contract of the settings.
    contract: Account,
    /// One with the same code that nobody asked for.
    other: Account,
}

impl TetherPuppet {
    pub async fn new(anvil: Anvil) -> Self {
        let contract = deploy(&anvil).await;
        let other = deploy(&anvil).await;
        assert_ne!(contract, other);
        // Its first blocks are on top: no reorganisation reaches the contracts.
        let chain = EtherPuppet::new(anvil).await;
        Self {
            chain,
            contract,
            other,
        }
    }
}

#[async_trait]
impl Puppet for TetherPuppet {
    fn code(&self) -> &'static str {
        "USDT"
    }

    fn unit(&self) -> u128 {
        UNIT
    }

    /// The ledger has eight digits, the token six.
    fn ledger_units(&self) -> i128 {
        100
    }

    fn price(&self) -> &'static str {
        "0.5"
    }

    /// What a contract will do is known when it has run.
    fn shows_waiting(&self) -> bool {
        false
    }

    fn leaves_out(&self) -> bool {
        self.chain.leaves_out()
    }

    fn settings(&self) -> ChainSettings {
        let url = format!("http://127.0.0.1:{}", self.chain.anvil.port);
        let find = |variable: &str| match variable {
            "EXCHEQUER_CHAIN_ETH" => Some("evm".to_owned()),
            "EXCHEQUER_CHAIN_ETH_URL" => Some(url.clone()),
            "EXCHEQUER_CHAIN_ETH_NETWORK" => Some(CHAIN_ID.to_string()),
            "EXCHEQUER_CHAIN_ETH_TOKEN_USDT" => Some(self.contract.to_string()),
            _ => None,
        };
        ChainSettings::read(find, true).unwrap()
    }

    async fn pay(&mut self, address: &str, raw: u128) -> String {
        let tx = call(self.contract, TRANSFER, address, raw);
        self.chain.call(tx).await
    }

    async fn mine(&mut self, blocks: u32) {
        self.chain.mine(blocks).await;
    }

    async fn replace(&mut self, txid: &str, address: Option<&str>, raw: u128) -> String {
        let tx = call(self.contract, TRANSFER, address.unwrap_or(BOB), raw);
        self.chain.call_instead(txid, tx).await
    }

    async fn mine_double_spend(&mut self, txid: &str) {
        self.chain.mine_double_spend(txid).await;
    }

    async fn reorg(&mut self, depth: u32) {
        self.chain.reorg(depth).await;
    }

    async fn reorg_without(&mut self, depth: u32, txid: &str) {
        self.chain.reorg_without(depth, txid).await;
    }

    async fn reorg_against(&mut self, depth: u32, txid: &str) {
        self.chain.reorg_against(depth, txid).await;
    }

    async fn bring_back(&mut self, txid: &str) {
        self.chain.bring_back(txid).await;
    }

    async fn forget(&mut self, txid: &str) {
        self.chain.forget(txid).await;
    }

    async fn pay_nothing(&mut self, address: &str) {
        self.pay(address, 0).await;
        self.mine(1).await;
    }

    async fn pay_both(&mut self, one: &str, other: &str, raw: u128) -> Option<String> {
        let tx = transfers(self.contract, &[one, other], raw);
        Some(self.chain.call(tx).await)
    }

    /// Nothing is spent but balances.
    async fn pay_child(&mut self, _address: &str, _raw: u128) -> Option<(String, String)> {
        None
    }

    async fn tell_oddly(&mut self, address: &str, raw: u128) -> usize {
        let mut told = Vec::new();
        for tx in [
            // Leave to take so much is no payment.
            call(self.contract, APPROVE, address, raw),
            // The same topic with a topic more: a token that is not fungible.
            call(self.contract, TRANSFER_PIECE, address, raw),
            // Somebody else's contract, which can call itself whatever it likes.
            call(self.other, TRANSFER, address, raw),
            // A payment of nothing, and one to somebody else.
            call(self.contract, TRANSFER, address, 0),
            call(self.contract, TRANSFER, BOB, raw),
        ] {
            told.push(self.chain.call(tx).await);
        }
        let mut broke_off = call(self.contract, TRANSFER, address, raw);
        broke_off["gas"] = GAS_TOO_LITTLE.into();
        let broke_off = self.chain.call(broke_off).await;
        self.mine(1).await;
        // All of that did happen, or nothing would be shown by it.
        for txid in &told {
            let receipt = self.chain.anvil.receipt(txid).await;
            assert_eq!(receipt["logs"].as_array().unwrap().len(), 1, "{receipt}");
        }
        let receipt = self.chain.anvil.receipt(&broke_off).await;
        assert_eq!(receipt["status"], "0x0", "{receipt}");
        told.len() + 1
    }
}
