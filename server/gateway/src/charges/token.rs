use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::{Error, Gateway, Result};

/// Bytes of a page token: 128 bits nobody can guess.
const TOKEN_BYTES: usize = 16;

impl Gateway {
    /// The `t` of a checkout address. Derived, so it need not be stored and is always the same.
    pub fn page_token(&self, public_id: &str) -> String {
        let derived = self.instance().derive(&format!("page token {public_id}"));
        URL_SAFE_NO_PAD.encode(derived.get(..TOKEN_BYTES).unwrap_or_default())
    }

    /// Compares without telling by its time how much was right.
    pub fn token_matches(&self, public_id: &str, token: &str) -> bool {
        let expected = self.page_token(public_id);
        expected.len() == token.len()
            && expected
                .bytes()
                .zip(token.bytes())
                .fold(0, |diff, (a, b)| diff | (a ^ b))
                == 0
    }

    /// Absolute address of the hosted page, with its token.
    pub fn checkout_url(&self, public_id: &str) -> String {
        format!(
            "{}{}",
            self.settings().public_url,
            self.checkout_path(public_id)
        )
    }

    pub(crate) fn checkout_path(&self, public_id: &str) -> String {
        format!("/pay/{public_id}?t={}", self.page_token(public_id))
    }
}

/// `EX-` and 10 characters of A–Z2–7 (`00-domain.md`, Identifiers).
pub(super) fn new_public_id() -> Result<String> {
    const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let mut bytes = [0u8; 10];
    getrandom::fill(&mut bytes).map_err(Error::internal)?;
    let letters = bytes.iter().filter_map(|byte| {
        ALPHABET
            .get(usize::from(byte % 32))
            .copied()
            .map(char::from)
    });
    Ok(std::iter::once("EX-".to_owned())
        .chain(letters.map(String::from))
        .collect())
}
