use sha2::{Digest, Sha256};

use super::known::Found;
use super::known_keys::{KnownKey, LAST_USE_EVERY, LastUse};
use super::store;
use crate::{Error, Gateway, Result};

/// What a merchant's keys start with (`00-domain.md`, Identifiers).
const MERCHANT_PREFIX: &str = "ex_pk_";

const STATIC_PREFIX: &str = "ex_sk_";

/// Characters at a key's end that follow from the others: a mistyped key is refused unseen.
const CHECK_CHARS: usize = 6;

/// A merchant, recognised by one of its keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MerchantPrincipal {
    pub merchant_id: i64,
}

impl Gateway {
    /// The merchant a key `ex_pk_…` belongs to.
    ///
    /// # Errors
    /// [`Error::Unauthorized`] for a key that is malformed, unknown or revoked.
    pub async fn merchant_by_key(&self, key: &str) -> Result<MerchantPrincipal> {
        if !is_minted(MERCHANT_PREFIX, key) {
            return Err(Error::Unauthorized);
        }
        let known = self.known_key(digest(key)).await?;
        let now = self.clock().now();
        if known.last_use.is_to_be_noted(now) {
            let (gateway, id) = (self.clone(), known.id);
            // The caller need not wait for it.
            tokio::spawn(async move {
                let unless_after = now - LAST_USE_EVERY;
                let noted = store::note_key_use(gateway.pool(), id, now, unless_after).await;
                if let Err(error) = noted {
                    tracing::warn!(%error, "the use of a key was not noted");
                }
            });
        }
        Ok(MerchantPrincipal {
            merchant_id: known.merchant_id,
        })
    }

    async fn known_key(&self, hash: [u8; 32]) -> Result<KnownKey> {
        let keys = &self.known_keys().keys;
        let reading = match keys.find(&hash) {
            Found::Kept(known) => return Ok(known),
            Found::Missing(reading) => reading,
        };
        let found = store::find_key(self.pool(), &hash)
            .await?
            .ok_or(Error::Unauthorized)?;
        let known = KnownKey {
            id: found.id,
            merchant_id: found.merchant_id,
            last_use: LastUse::of(found.last_used_at),
        };
        keys.keep(reading, hash, known.clone());
        Ok(known)
    }

    /// The static key of administrative Orders calls: the operator's, in test mode otherwise one
    /// that follows from the database (`80`, Test mode); `None` = such calls are off.
    pub fn effective_static_key(&self) -> Option<String> {
        let settings = self.settings();
        let derived = || mint(STATIC_PREFIX, &self.instance().derive("demo static key"));
        settings
            .static_key
            .clone()
            .or_else(|| settings.test_mode.then(derived))
    }

    /// Compares without telling by its time how much was right.
    pub fn is_static_key(&self, presented: &str) -> bool {
        self.static_key_digest().is_some_and(|expected| {
            let digests = expected.iter().zip(digest(presented));
            digests.fold(0, |difference, (a, b)| difference | (a ^ b)) == 0
        })
    }
}

/// What is stored of a secret that only has to be recognised. The secrets are random and long, so
/// that a plain hash cannot be searched.
pub(crate) fn digest(secret: &str) -> [u8; 32] {
    Sha256::digest(secret).into()
}

/// Writes random bytes as a key: the prefix, 32 letters or digits, six that check them.
pub(crate) fn mint(prefix: &str, random: &[u8; 32]) -> String {
    let body = format!("{prefix}{}", alphanumeric(random));
    let check = check_chars(&body);
    body + &check
}

/// Whether a text has the form of a key of this prefix. Says nothing about the key being valid.
fn is_minted(prefix: &str, text: &str) -> bool {
    let Some(at) = text.len().checked_sub(CHECK_CHARS) else {
        return false;
    };
    text.starts_with(prefix)
        && text.is_ascii()
        && text
            .split_at_checked(at)
            .is_some_and(|(body, check)| check_chars(body) == check)
}

fn check_chars(body: &str) -> String {
    alphanumeric(digest(body).get(..CHECK_CHARS).unwrap_or_default())
}

/// One character a byte. Eight letters are a little likelier than the others, which costs less than
/// a twentieth of a bit a character.
pub(crate) fn alphanumeric(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    bytes
        .iter()
        .filter_map(|byte| {
            ALPHABET
                .get(usize::from(byte % 62))
                .copied()
                .map(char::from)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_its_prefix_and_38_letters_or_digits() {
        let key = mint(MERCHANT_PREFIX, &[7; 32]);
        let body = key.strip_prefix("ex_pk_").unwrap_or_default();
        assert_eq!(body.len(), 38, "{key}");
        assert!(
            body.bytes().all(|byte| byte.is_ascii_alphanumeric()),
            "{key}"
        );
        assert_eq!(key, mint(MERCHANT_PREFIX, &[7; 32]));
        assert_ne!(key, mint(MERCHANT_PREFIX, &[8; 32]));
    }

    #[test]
    fn a_mistyped_key_is_refused_unseen() {
        let key = mint(MERCHANT_PREFIX, &[7; 32]);
        assert!(is_minted(MERCHANT_PREFIX, &key));
        let swapped = key.replacen('7', "8", 1);
        assert_ne!(swapped, key, "there was a 7");
        let longer = format!("{key}0");
        let shorter = key.get(..key.len() - 1).unwrap_or_default();
        let other_kind = mint(STATIC_PREFIX, &[7; 32]);
        let (swapped, longer, other_kind) =
            (swapped.as_str(), longer.as_str(), other_kind.as_str());
        for wrong in [
            swapped,
            longer,
            shorter,
            other_kind,
            "ex_pk_",
            "",
            "ex_pk_ééé",
        ] {
            assert!(!is_minted(MERCHANT_PREFIX, wrong), "{wrong}");
        }
    }
}
