//! Why a call came to nothing.

use std::error::Error as StdError;
use std::fmt::Display;
use std::path::PathBuf;
use std::time::Duration;

use thiserror::Error;

/// Longest text of somebody else in a message of ours, in characters.
const FOREIGN_TEXT_MAX: usize = 300;

/// A node could not be asked, or said no. Fit for a log and for the operator's pages.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RpcError {
    #[error("this system cannot make HTTP calls: {0}")]
    Client(String),
    #[error("the node cannot be reached: {0}")]
    Unreachable(String),
    #[error("the node did not answer {method} within {} s", .limit.as_secs())]
    TimedOut {
        method: &'static str,
        limit: Duration,
    },
    /// The node writes the file when it starts and removes it when it stops.
    #[error("the node's cookie file {} cannot be read, is the node running? {reason}", .path.display())]
    Cookie { path: PathBuf, reason: String },
    #[error("the node refuses our credentials or our address")]
    Credentials,
    #[error("the node is starting: {0}")]
    WarmingUp(String),
    #[error("the node has too many calls waiting")]
    Busy,
    #[error("the node refused {method}: {message} (code {code})")]
    Refused {
        method: &'static str,
        code: i64,
        message: String,
    },
    #[error("the node's answer to {method} cannot be read: {reason}")]
    Unreadable {
        method: &'static str,
        reason: String,
    },
    #[error("the node's answer to {method} has more than {bytes_max} bytes")]
    TooLarge {
        method: &'static str,
        bytes_max: usize,
    },
}

impl RpcError {
    pub(in crate::chain::bitcoin_core) fn unreadable(
        method: &'static str,
        reason: &dyn Display,
    ) -> Self {
        Self::Unreadable {
            method,
            reason: clipped(&reason.to_string()),
        }
    }

    /// The code of a refusal.
    pub const fn code(&self) -> Option<i64> {
        match self {
            Self::Refused { code, .. } => Some(*code),
            _ => None,
        }
    }

    /// Whether another node may answer the next call: the one we knew was away.
    pub(in crate::chain::bitcoin_core) const fn is_absence(&self) -> bool {
        matches!(
            self,
            Self::Unreachable(_) | Self::Cookie { .. } | Self::Credentials | Self::WarmingUp(_)
        )
    }
}

impl From<RpcError> for crate::Error {
    fn from(error: RpcError) -> Self {
        Self::Internal(error.to_string())
    }
}

/// A node's no to one call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    pub code: i64,
    pub message: String,
}

impl Refusal {
    pub(super) fn new(code: i64, message: &str) -> Self {
        Self {
            code,
            message: clipped(message),
        }
    }

    pub(in crate::chain::bitcoin_core) fn of(self, method: &'static str) -> RpcError {
        RpcError::Refused {
            method,
            code: self.code,
            message: self.message,
        }
    }
}

/// The innermost reason; those around it repeat the URL.
pub(super) fn root_cause(error: &reqwest::Error) -> String {
    let mut cause: &dyn StdError = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    clipped(&cause.to_string())
}

/// One line of bounded length.
fn clipped(text: &str) -> String {
    text.chars()
        .take(FOREIGN_TEXT_MAX)
        .map(|letter| if letter.is_control() { ' ' } else { letter })
        .collect()
}
