//! What the operators' page of chains shows: how each is followed, and what its node says of itself.

use time::OffsetDateTime;

/// How the following of a chain goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChainState {
    /// The node has not answered since this process began.
    Starting,
    /// There are blocks to read.
    CatchingUp,
    AtTip,
    /// The last attempt failed; it is tried again by itself.
    Stopped,
}

impl ChainState {
    pub const fn words(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::CatchingUp => "catching up",
            Self::AtTip => "current",
            Self::Stopped => "failed",
        }
    }
}

/// One chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChainRow {
    /// Currency code.
    pub code: String,
    /// `simulated`, `bitcoin-core` or `evm`.
    pub kind: String,
    pub network: String,
    pub state: ChainState,
    /// Of our best block.
    pub height: Option<i64>,
    /// Of the node's best block.
    pub node_height: Option<i64>,
    /// Blocks between the two.
    pub lag: Option<i64>,
    /// Since when the follower fails.
    pub since: Option<OffsetDateTime>,
    /// Why it failed last.
    pub error: Option<String>,
    /// The node's software.
    pub version: Option<String>,
    /// Other nodes it is connected to.
    pub peers: Option<i64>,
    /// Transactions in its mempool.
    pub mempool: Option<u64>,
    /// Whether what it announces is heard; `None` where no setting asks for that.
    pub is_heard: Option<bool>,
    /// One sentence each.
    pub warnings: Vec<String>,
    /// The first addresses of the account, to be compared with what its wallet shows.
    pub first_addresses: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChainsView {
    pub now: OffsetDateTime,
    pub rows: Vec<ChainRow>,
}

impl ChainsView {
    /// Codes of the chains nothing is read from now.
    pub fn stopped(&self) -> Vec<&str> {
        self.rows
            .iter()
            .filter(|row| row.state == ChainState::Stopped)
            .map(|row| row.code.as_str())
            .collect()
    }
}
