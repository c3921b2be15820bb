use std::time::Duration;

use domain::charge::TransitionError;
use domain::ledger::LedgerError;
use sqlx::postgres::{PgDatabaseError, PgSeverity};
use thiserror::Error as ThisError;

pub type Result<T, E = Error> = std::result::Result<T, E>;

/// One field that has to change, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldError {
    /// Dotted path, e.g. `customer_details.email`.
    pub field: String,
    /// Sentence without the field's name: `must be …`.
    pub message: String,
}

/// What a use case may answer instead of its result. Each dialect decides how to say it.
#[derive(Debug, ThisError)]
pub enum Error {
    #[error("validation failed: {}", .0.iter().map(|f| f.field.as_str()).collect::<Vec<_>>().join(", "))]
    Invalid(Vec<FieldError>),
    /// Also for things of other merchants: their existence is nobody's business.
    #[error("not found")]
    NotFound,
    #[error("not authenticated")]
    Unauthorized,
    #[error("not permitted")]
    Forbidden,
    /// The charge cannot do this now.
    #[error(transparent)]
    Refused(#[from] TransitionError),
    #[error("{0}")]
    Conflict(&'static str),
    #[error("no rate for {coin} in {currency} right now")]
    QuoteUnavailable { coin: String, currency: String },
    #[error("this idempotency key was used with another request")]
    IdempotencyMismatch,
    #[error("a request with this idempotency key is still running")]
    IdempotencyInProgress,
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The journal entry exists: somebody else recorded the same fact first.
    #[error("already booked")]
    AlreadyBooked,
    /// Too much is waiting already. Nothing was done; the same may be asked again after this long.
    #[error("overloaded")]
    Overloaded { retry_after: Duration },
    /// Nobody answered the commit: it may have happened, or may happen a moment later. Whoever asks again
    /// under the same key or reference gets it once; without one he has to look first.
    #[error("the outcome of a commit could not be learnt")]
    OutcomeUnknown,
    /// It needs a row that its group has not locked: nothing was done, and it is done alone instead. No
    /// caller from outside ever hears of it.
    #[error("this has to be done alone")]
    StepsOut,
    #[error("database: {0}")]
    Database(#[source] sqlx::Error),
    #[error("{0}")]
    Internal(String),
}

impl Error {
    pub fn invalid(field: &str, message: impl Into<String>) -> Self {
        Self::Invalid(vec![FieldError {
            field: field.to_owned(),
            message: message.into(),
        }])
    }

    /// Overloaded, with nothing to say about for how long.
    pub fn overloaded() -> Self {
        Self::Overloaded {
            retry_after: Duration::from_secs(1),
        }
    }

    /// Value of `Retry-After` of an overload: whole seconds, at least 1.
    pub fn retry_after_seconds(&self) -> Option<u64> {
        match self {
            Self::Overloaded { retry_after } => {
                let started = u64::from(retry_after.subsec_nanos() > 0);
                Some(retry_after.as_secs().saturating_add(started).max(1))
            }
            _ => None,
        }
    }

    pub fn internal(message: impl std::fmt::Display) -> Self {
        Self::Internal(message.to_string())
    }

    /// Nothing was done, and the same request may succeed a moment later.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Overloaded { .. } | Self::IdempotencyInProgress => true,
            Self::Database(error) => {
                matches!(error, sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed)
                    || connection_lost(error)
                    || out_of_room(error)
                    || given_up(error)
            }
            _ => false,
        }
    }

    /// The same to a caller part of whose wish is done, and cannot be done again without being done twice: what may
    /// be asked again in general is [`Self::OutcomeUnknown`] to him.
    pub(crate) fn once_begun(self) -> Self {
        if self.is_transient() {
            Self::OutcomeUnknown
        } else {
            self
        }
    }

    /// Postgres gave a statement up for what it was about, or for how long it took: a smaller one may get
    /// through where this one does not.
    pub(crate) fn is_given_up(&self) -> bool {
        matches!(self, Self::Database(error) if given_up(error))
    }
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        match error {
            sqlx::Error::RowNotFound => Self::NotFound,
            sqlx::Error::PoolTimedOut => Self::overloaded(),
            other => Self::Database(other),
        }
    }
}

/// Name of the constraint a statement ran into, if that is what failed.
pub(crate) fn violated_constraint(error: &sqlx::Error) -> Option<&str> {
    match error {
        sqlx::Error::Database(error) => error.constraint(),
        _ => None,
    }
}

/// The connection is gone, or the server behind it.
pub(crate) fn connection_lost(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_) | sqlx::Error::Tls(_) | sqlx::Error::WorkerCrashed => true,
        // A panic ends the whole server, for whatever reason. Connection exceptions, shutdowns, and sessions
        // ended for idling in a transaction or (Postgres 17) for a long one.
        _ => severity(error) == Some(PgSeverity::Panic) || has_code(error, ends_session),
    }
}

/// Whether a session ends with such an answer.
fn ends_session(code: &str) -> bool {
    code.starts_with("08") || code.starts_with("57P") || matches!(code, "25P03" | "25P04")
}

/// How bad it is, if Postgres said so.
pub(crate) fn severity(error: &sqlx::Error) -> Option<PgSeverity> {
    match error {
        sqlx::Error::Database(error) => error
            .try_downcast_ref::<PgDatabaseError>()
            .map(PgDatabaseError::severity),
        _ => None,
    }
}

/// Postgres has no room: on its disk, in memory, for connections, or by another limit. It says so in answer
/// to a statement or to a commit, so nothing of that was done.
pub(crate) fn out_of_room(error: &sqlx::Error) -> bool {
    has_code(error, |code| code.starts_with("53"))
}

/// Somebody else's locks were in the way: serialization, deadlock, lock timeout.
pub(crate) fn contended(error: &sqlx::Error) -> bool {
    has_code(error, |code| matches!(code, "40001" | "40P01" | "55P03"))
}

/// A statement was ended before it was done: for somebody else's locks, for a limit of time, or by a person.
fn given_up(error: &sqlx::Error) -> bool {
    contended(error) || has_code(error, |code| code == "57014")
}

/// Whether Postgres answered with such a code (SQLSTATE).
fn has_code(error: &sqlx::Error, is_such: impl Fn(&str) -> bool) -> bool {
    match error {
        sqlx::Error::Database(error) => error.code().is_some_and(|code| is_such(&code)),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Fails when the end of a session by a limit of Postgres 17, which no test here can reach, is taken for a
    /// mistake of ours, or a refused statement for the end of a session.
    #[test]
    fn answers_that_end_a_session_are_known() {
        for code in ["08006", "57P01", "57P05", "25P03", "25P04"] {
            assert!(ends_session(code), "{code}");
        }
        for code in ["25P02", "40001", "57014", "23505", "53300"] {
            assert!(!ends_session(code), "{code}");
        }
    }

    #[test]
    fn whoever_waits_waits_whole_seconds() {
        let seconds = |millis| {
            Error::Overloaded {
                retry_after: Duration::from_millis(millis),
            }
            .retry_after_seconds()
        };
        assert_eq!(seconds(0), Some(1));
        assert_eq!(seconds(1_000), Some(1));
        assert_eq!(seconds(1_001), Some(2));
        assert_eq!(Error::NotFound.retry_after_seconds(), None);
    }
}
