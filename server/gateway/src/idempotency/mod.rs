//! First answers to keyed requests, stored in the transaction of their effect, so that a crash can
//! leave neither an effect without its answer nor a key that blocks for nothing.

mod many;
mod store;

pub(crate) use many::Claim;

use time::Duration;

use crate::ledger::Unit;
use crate::{Error, Result};

/// How long a first answer is repeated (`00-domain.md`, Identifiers).
pub const REPLAY_FOR: Duration = Duration::hours(24);

/// A request that must take effect once.
#[derive(Debug, Clone)]
pub struct Once {
    pub merchant_id: i64,
    pub method: &'static str,
    pub path: String,
    /// 1–255 printable ASCII characters; the edge has checked that.
    pub key: String,
    /// SHA-256 of the body, byte for byte.
    pub body_hash: [u8; 32],
}

impl Once {
    /// What makes the key this key and no other.
    fn scope(&self) -> String {
        format!(
            "{}\n{}\n{}\n{}",
            self.merchant_id, self.method, self.path, self.key
        )
    }
}

/// What goes back to the caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    pub body: Vec<u8>,
    /// This is the stored first answer.
    pub replayed: bool,
}

impl Answer {
    pub(crate) fn fresh((status, body): (u16, Vec<u8>)) -> Self {
        Self {
            status,
            body,
            replayed: false,
        }
    }

    /// Only success is stored, and repeated.
    fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }
}

impl Unit {
    /// Claims the key for this unit, or returns the first answer.
    ///
    /// # Errors
    /// [`Error::IdempotencyInProgress`] while another unit with this key is running,
    /// [`Error::IdempotencyMismatch`] when the key was used with another body.
    pub(crate) async fn claim(&mut self, once: Option<&Once>) -> Result<Option<Answer>> {
        let Some(once) = once else { return Ok(None) };
        if !store::try_lock(self.conn(), once).await? {
            return Err(Error::IdempotencyInProgress);
        }
        let oldest = self.now() - REPLAY_FOR;
        let Some(stored) = store::find(self.conn(), once, oldest).await? else {
            return Ok(None);
        };
        if stored.body_hash != once.body_hash {
            return Err(Error::IdempotencyMismatch);
        }
        Ok(Some(Answer {
            status: stored.status,
            body: stored.body,
            replayed: true,
        }))
    }

    /// Stores the first answer with its effect; only success is stored (`80`, Idempotency).
    pub(crate) async fn remember(&mut self, once: Option<&Once>, answer: &Answer) -> Result<()> {
        match once {
            Some(once) if answer.is_success() => {
                let now = self.now();
                store::insert(self.conn(), once, answer, now).await
            }
            _ => Ok(()),
        }
    }
}

impl Unit {
    /// What was answered first about the operation or invoice that a reference names; `rendered` when
    /// nothing was, and that is kept for ever then. Only success is kept.
    pub(crate) async fn first_answer(
        &mut self,
        id: i64,
        rendered: (u16, Vec<u8>),
    ) -> Result<Answer> {
        let rendered = Answer::fresh(rendered);
        if !rendered.is_success() || store::insert_first(self.conn(), id, &rendered).await? {
            return Ok(rendered);
        }
        store::find_first(self.conn(), id).await
    }
}

impl crate::Gateway {
    /// Forgets answers that are not repeated any more; returns how many.
    pub async fn forget_old_answers(&self) -> Result<u64> {
        store::delete_older(self.pool(), self.clock().now() - REPLAY_FOR).await
    }
}
