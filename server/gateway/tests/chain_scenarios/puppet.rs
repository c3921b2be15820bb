//! A chain that does what a scenario says.

use async_trait::async_trait;
use gateway::chain::ChainSettings;

/// Moves one chain by hand. Nobody of ours hears of it before the chain is followed.
#[async_trait]
pub trait Puppet: Send {
    fn code(&self) -> &'static str;

    /// Base units of a payment that is worth crediting.
    fn unit(&self) -> u128;

    /// Ledger units of one base unit.
    fn ledger_units(&self) -> i128 {
        1
    }

    /// What one coin costs in euro, so that a charge of some tens of them is a payment of usual size.
    fn price(&self) -> &'static str {
        "3000"
    }

    /// Whether a payment that waits for a block is seen.
    fn shows_waiting(&self) -> bool {
        true
    }

    /// Whether blocks can be made again without one payment of several.
    fn leaves_out(&self) -> bool {
        true
    }

    /// Whether payments can be forgotten and brought back in any order, and none is ever refused.
    fn forgets_freely(&self) -> bool {
        false
    }

    /// As an operator would connect this chain.
    fn settings(&self) -> ChainSettings;

    /// Sends a payment; answers its id.
    async fn pay(&mut self, address: &str, raw: u128) -> String;

    /// Makes blocks of all that waits.
    async fn mine(&mut self, blocks: u32);

    /// Replaces a waiting payment by one that spends the same; without an address, to somebody else.
    async fn replace(&mut self, txid: &str, address: Option<&str>, raw: u128) -> String;

    /// Makes a block with another transaction that spends what a waiting one spends.
    async fn mine_double_spend(&mut self, txid: &str);

    /// Replaces the last blocks by more of them, in which all transactions have a place again.
    async fn reorg(&mut self, depth: u32);

    /// The same, but this transaction is in none of the new blocks.
    async fn reorg_without(&mut self, depth: u32, txid: &str);

    /// The same, and another transaction that spends what it spends is in one of them.
    async fn reorg_against(&mut self, depth: u32, txid: &str);

    /// Makes a block with a transaction that left the chain or was forgotten.
    async fn bring_back(&mut self, txid: &str);

    /// Lets the node forget a waiting transaction.
    async fn forget(&mut self, txid: &str);

    /// Makes a block with a payment of nothing.
    async fn pay_nothing(&mut self, address: &str);

    /// One transaction that pays so much to both; `None` where there is no such thing.
    async fn pay_both(&mut self, one: &str, other: &str, raw: u128) -> Option<String>;

    /// A payment out of a payment that waits itself, to somebody else: both ids. `None` where there
    /// is no such thing.
    async fn pay_child(&mut self, address: &str, raw: u128) -> Option<(String, String)>;

    /// Makes a block of transactions that tell of `raw` and `address` and are no payment of it; answers how
    /// many. 0 where payments are no events of contracts.
    async fn tell_oddly(&mut self, _address: &str, _raw: u128) -> usize {
        0
    }

    /// Stops the node; `false` where that cannot be.
    async fn go_away(&mut self) -> bool {
        false
    }

    async fn come_back(&mut self) {}

    /// Takes the node back to an earlier block of the same chain; `false` where that cannot be.
    async fn fall_behind(&mut self, _blocks: u32) -> bool {
        false
    }

    async fn catch_up(&mut self) {}

    /// Lets the node delete its blocks up to this height, as far as it does so; answers the height of the
    /// oldest that it keeps.
    async fn prune(&mut self, _height: u32) -> i64 {
        0
    }

    /// Copies all blocks to a second node, which keeps them for good.
    async fn copy(&mut self) {}

    /// Lets the two nodes change places.
    fn swap(&mut self) {}
}
