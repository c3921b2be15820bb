use time::Duration;

use super::store;
use crate::{Error, Gateway, Result};

/// How exactly the last use of a pair is known.
const LAST_USE_EVERY: Duration = Duration::minutes(1);

/// A merchant, recognised by the public key of one of its pairs. What was sent still has to be
/// signed with the private one.
#[derive(Clone, PartialEq, Eq)]
pub struct KeyPairPrincipal {
    pub id: i64,
    pub merchant_id: i64,
    pub public_key: String,
    /// The MAC key is its ASCII text as shown (`80`, Webhooks).
    pub private_key: String,
    /// The person who made it: what is asked for with it, that person asked for.
    pub creator_id: Option<i64>,
    /// Commands that are switched on.
    pub permissions: Vec<String>,
}

impl KeyPairPrincipal {
    /// Whether a command is switched on for this pair.
    pub fn permits(&self, command: &str) -> bool {
        self.permissions.iter().any(|known| known == command)
    }
}

/// Without the private key: whoever logs a principal must not log a secret.
impl std::fmt::Debug for KeyPairPrincipal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KeyPairPrincipal")
            .field("id", &self.id)
            .field("merchant_id", &self.merchant_id)
            .field("permissions", &self.permissions)
            .finish_non_exhaustive()
    }
}

impl Gateway {
    /// The pair with this public key.
    ///
    /// # Errors
    /// [`Error::Unauthorized`] for an unknown or revoked one.
    pub async fn key_pair(&self, public_key: &str) -> Result<KeyPairPrincipal> {
        let now = self.clock().now();
        let (pair, last_used_at) = store::find_key_pair(self.pool(), public_key)
            .await?
            .ok_or(Error::Unauthorized)?;
        let noted_lately = last_used_at.is_some_and(|at| now - at < LAST_USE_EVERY);
        if !noted_lately {
            store::note_key_pair_use(self.pool(), pair.id, now).await?;
        }
        Ok(pair)
    }

    /// The pairs of a merchant that are not revoked, oldest first.
    pub async fn active_key_pairs(&self, merchant_id: i64) -> Result<Vec<KeyPairPrincipal>> {
        store::active_key_pairs(self.pool(), merchant_id).await
    }
}
