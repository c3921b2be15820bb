use thiserror::Error as ThisError;

use crate::Error;

/// Why a call has no result.
#[derive(Debug, Clone, PartialEq, Eq, ThisError)]
pub enum RpcError {
    /// No answer, or not all of it, in time.
    #[error("the node at {node} cannot be reached: {reason}")]
    Unreachable { node: String, reason: String },
    /// Not an answer of JSON-RPC, but of whatever else stands there.
    #[error("the node at {node} answers with HTTP status {status}")]
    Status { node: String, status: u16 },
    /// The node's own refusal.
    #[error("the node at {node} refuses {method}: {message} (code {code})")]
    Refused {
        node: String,
        method: &'static str,
        code: i64,
        message: String,
    },
    #[error("the node at {node} answers {method} with more than {limit} bytes")]
    TooLarge {
        node: String,
        method: &'static str,
        limit: usize,
    },
    /// Not JSON, not the type it should be, or in contradiction to what was asked.
    #[error("the node at {node} gives no readable answer to {method}: {problem}")]
    Unreadable {
        node: String,
        method: &'static str,
        problem: String,
    },
}

impl RpcError {
    /// Whether another program may stand at this place by the next call.
    pub(in crate::chain::evm) fn is_lost_contact(&self) -> bool {
        matches!(self, Self::Unreachable { .. } | Self::Status { .. })
    }
}

impl From<RpcError> for Error {
    fn from(error: RpcError) -> Self {
        Self::internal(error)
    }
}
