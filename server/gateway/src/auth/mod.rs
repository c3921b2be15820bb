//! Who is calling, and what it may do: passwords, sessions, merchant keys and roles.
//!
//! Invariant: secrets that only have to be recognised are stored as hashes, and looked up by their
//! hash, so that no comparison tells by its time how much of a guess was right.

mod key_pair_changes;
mod key_pair_store;
mod key_pairs;
mod key_permissions;
mod keys;
mod known;
mod known_keys;
mod passwords;
mod roles;
mod sessions;
mod store;

pub use key_pair_changes::{CreatedKeyPair, KEY_NAME_CHARS_MAX, KEY_PAIRS_MAX, NewKeyPair};
pub(crate) use key_pair_store::KeyPairRecord;
pub use key_pairs::KeyPairPrincipal;
pub(crate) use key_permissions::{choices as permission_choices, summary as permission_summary};
pub use keys::MerchantPrincipal;
pub(crate) use keys::{alphanumeric, digest, mint};
pub(crate) use known_keys::{KEY_CHANNEL, KnownKeys};
pub(crate) use passwords::hash_new;
pub use passwords::{PASSWORD_CHARS_MAX, PASSWORD_CHARS_MIN};
pub use roles::{Permission, Role};
pub use sessions::{SessionToken, SessionUser};

use self::known::Found;
use crate::{Gateway, Result};

impl Gateway {
    pub async fn merchant_exists(&self, merchant_id: i64) -> Result<bool> {
        let merchants = &self.known_keys().merchants;
        let reading = match merchants.find(&merchant_id) {
            Found::Kept(()) => return Ok(true),
            Found::Missing(reading) => reading,
        };
        let exists = store::merchant_exists(self.pool(), merchant_id).await?;
        if exists {
            merchants.keep(reading, merchant_id, ());
        }
        Ok(exists)
    }

    /// Ids and names of the merchants a user may look at, by id: an admin all of them, a manager
    /// those it made or was given, anybody else its own (`00-domain.md`, Parties).
    pub async fn merchants_visible_to(&self, user: &SessionUser) -> Result<Vec<(i64, String)>> {
        match user.role {
            Role::Admin => store::all_merchants(self.pool()).await,
            Role::Manager => store::merchants_of_manager(self.pool(), user.user_id).await,
            Role::Merchant | Role::ApiUser => {
                store::merchant_of_user(self.pool(), user.user_id).await
            }
        }
    }
}
