use std::future::Future;
use std::io;
use std::time::Duration;

use tokio::time::timeout;

use crate::Error;

/// How long each step of a transaction may take before its connection counts as dead. A connection whose
/// other end is gone without a word answers nothing, and says nothing either.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// To a connection and the begin. More than the ten seconds that the pool waits for a free one: a
    /// pool without room says so by itself.
    pub begin: Duration,
    /// All statements before the commit. As long as Postgres leaves a session alone that holds locks
    /// and does nothing (`idle_in_transaction_session_timeout`), twice the longest `lock_timeout`.
    pub work: Duration,
    /// A commit waits for the disk, perhaps for that of a standby, and for no lock.
    pub commit: Duration,
    /// To learn what is durable; it may wait for the locks of whoever is still committing. Of a committer each
    /// look may take so long, of a unit alone all of them together.
    pub find: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            begin: Duration::from_secs(15),
            work: Duration::from_secs(60),
            commit: Duration::from_secs(30),
            find: Duration::from_secs(60),
        }
    }
}

/// A step of a transaction, or the error of a lost connection when it takes longer.
pub(crate) async fn within<T, E: From<sqlx::Error>>(
    limit: Duration,
    step: impl Future<Output = Result<T, E>>,
) -> Result<T, E> {
    match timeout(limit, step).await {
        Ok(result) => result,
        Err(_) => Err(E::from(sqlx::Error::Io(io::Error::new(
            io::ErrorKind::TimedOut,
            "the database did not answer in time",
        )))),
    }
}

/// The connection was waited for in vain; it may still hold locks.
pub(crate) fn is_silence(error: &Error) -> bool {
    match error {
        Error::Database(sqlx::Error::Io(cause)) => cause.kind() == io::ErrorKind::TimedOut,
        _ => false,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::error::connection_lost;

    #[tokio::test]
    async fn silence_is_a_lost_connection() {
        let never = std::future::pending::<Result<(), Error>>();
        let error = within(Duration::ZERO, never).await.unwrap_err();
        assert!(is_silence(&error), "{error:?}");
        assert!(matches!(&error, Error::Database(cause) if connection_lost(cause)));
        let never = std::future::pending::<Result<(), sqlx::Error>>();
        assert!(connection_lost(
            &within(Duration::ZERO, never).await.unwrap_err()
        ));
        assert!(!is_silence(&Error::NotFound));
    }
}
