//! What makes a database this instance: its seed, from which addresses, page tokens and demo
//! secrets derive.

pub(crate) mod store;

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Sha256, Sha512};
use sqlx::PgPool;

use crate::{Error, Gateway, Result};

/// The instance's row. Its `Debug` shows nothing of the seed.
#[derive(Clone)]
pub struct Instance {
    seed: Vec<u8>,
}

impl std::fmt::Debug for Instance {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Instance(..)")
    }
}

impl Instance {
    /// Reads the row, or makes it with a random seed at first start.
    ///
    /// A database keeps the mode it was made in: simulated coins must never meet real customers.
    pub(crate) async fn open(pool: &PgPool, test_mode: bool) -> Result<Self> {
        let mut seed = vec![0u8; 64];
        getrandom::fill(&mut seed).map_err(Error::internal)?;
        let (seed, made_in_test_mode) = store::find_or_insert(pool, &seed, test_mode).await?;
        if made_in_test_mode != test_mode {
            return Err(Error::Internal(format!(
                "this database was made in {} mode and cannot be opened in the other",
                if made_in_test_mode { "test" } else { "live" }
            )));
        }
        Ok(Self { seed })
    }

    /// 32 bytes that only this instance can compute, one value per purpose.
    pub fn derive(&self, purpose: &str) -> [u8; 32] {
        let mut bytes = [0u8; 32];
        if let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.seed) {
            mac.update(purpose.as_bytes());
            bytes.copy_from_slice(&mac.finalize().into_bytes());
        }
        bytes
    }

    /// Root of the deposit addresses, apart from every other derivation.
    pub(crate) fn address_seed(&self) -> [u8; 64] {
        let mut bytes = [0u8; 64];
        if let Ok(mut mac) = Hmac::<Sha512>::new_from_slice(&self.seed) {
            mac.update(b"deposit addresses");
            bytes.copy_from_slice(&mac.finalize().into_bytes());
        }
        bytes
    }
}

impl Gateway {
    /// Writes down where the server of this instance is reached, for commands beside it.
    pub async fn note_public_url(&self) -> Result<()> {
        store::set_public_url(self.pool(), &self.settings().public_url).await
    }

    /// Where it was reached last; `None` when no server ever ran here.
    pub async fn noted_public_url(&self) -> Result<Option<String>> {
        store::public_url(self.pool()).await
    }
}
