use std::sync::Arc;

use super::known::Found;
use super::known_keys::{KnownPair, LAST_USE_EVERY, LastUse};
use super::{digest, store};
use crate::{Error, Gateway, Result};

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
    pub async fn key_pair(&self, public_key: &str) -> Result<Arc<KeyPairPrincipal>> {
        let known = self.known_pair(public_key).await?;
        let now = self.clock().now();
        if known.last_use.is_to_be_noted(now) {
            let (gateway, id) = (self.clone(), known.pair.id);
            // The caller need not wait for it.
            tokio::spawn(async move {
                let unless_after = now - LAST_USE_EVERY;
                let noted = store::note_key_pair_use(gateway.pool(), id, now, unless_after).await;
                if let Err(error) = noted {
                    tracing::warn!(%error, "the use of a key pair was not noted");
                }
            });
        }
        Ok(known.pair)
    }

    async fn known_pair(&self, public_key: &str) -> Result<KnownPair> {
        let (pairs, hash) = (&self.known_keys().pairs, digest(public_key));
        let reading = match pairs.find(&hash) {
            Found::Kept(known) => return Ok(known),
            Found::Missing(reading) => reading,
        };
        let (pair, last_used_at) = store::find_key_pair(self.pool(), public_key)
            .await?
            .ok_or(Error::Unauthorized)?;
        let known = KnownPair {
            pair: Arc::new(pair),
            last_use: LastUse::of(last_used_at),
        };
        pairs.keep(reading, hash, known.clone());
        Ok(known)
    }

    /// The pairs of a merchant that are not revoked, oldest first.
    pub async fn active_key_pairs(&self, merchant_id: i64) -> Result<Vec<KeyPairPrincipal>> {
        store::active_key_pairs(self.pool(), merchant_id).await
    }
}
