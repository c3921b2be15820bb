//! What an instance's own accounts are derived from, which live instances do not have.

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha512;
use sqlx::PgPool;

/// In hexadecimal.
pub async fn seed(pool: &PgPool) -> String {
    let seed: Vec<u8> = sqlx::query_scalar("SELECT seed FROM instance")
        .fetch_one(pool)
        .await
        .unwrap();
    let mut mac = Hmac::<Sha512>::new_from_slice(&seed).unwrap();
    mac.update(b"deposit addresses");
    hex::encode(mac.finalize().into_bytes())
}
