//! Why a node is of no use right now.

use thiserror::Error;

use super::reading::ReadError;
use super::rpc::RpcError;

/// What is wrong with the node, in a sentence for the operator.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum NodeError {
    #[error(transparent)]
    Rpc(#[from] RpcError),
    #[error("the node is on the network {found:?}, the settings say {expected:?}")]
    WrongNetwork {
        expected: &'static str,
        found: String,
    },
    /// Another coin whose networks have the same names.
    #[error("the node's first block is {found}, of another coin or network")]
    WrongGenesis { found: String },
    #[error("the node's version {found} is older than {needed}, the oldest that is supported")]
    TooOld { needed: i64, found: i64 },
    #[error(
        "the node has deleted block {height} (it is pruned); only one that kept it can go on from there"
    )]
    Pruned { height: i64 },
    #[error("what the node says is {what} cannot be read: {reason}")]
    Unreadable { what: String, reason: String },
}

impl NodeError {
    pub(super) fn unreadable(what: impl Into<String>, reason: &ReadError) -> Self {
        Self::Unreadable {
            what: what.into(),
            reason: reason.0.clone(),
        }
    }

    /// The code of the node's refusal, if it answered with one.
    pub const fn code(&self) -> Option<i64> {
        match self {
            Self::Rpc(error) => error.code(),
            _ => None,
        }
    }
}

impl From<NodeError> for crate::Error {
    fn from(error: NodeError) -> Self {
        Self::Internal(error.to_string())
    }
}
