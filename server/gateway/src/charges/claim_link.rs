//! The mailed link of a refund claim: 32 random bytes of which only the hash is kept, used once,
//! over after a while (`00-domain.md`, Charges: the customer gets a link).

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use time::{Duration, OffsetDateTime};

use super::claim_link_store;
use super::refundable::refundable;
use super::row::{ChargeRow, ReceiptRow};
use crate::auth::digest;
use crate::ledger::Unit;
use crate::{Error, Gateway, Result};

/// Bytes of a token: 256 bits nobody can guess.
const TOKEN_BYTES: usize = 32;

/// Characters those take in base64url.
const TOKEN_CHARS: usize = 43;

/// So long an address can be left.
const LINK_LIFE: Duration = Duration::days(30);

/// So long after its use a link shows how far the refund has come.
pub(super) const TRACKER_LIFE: Duration = Duration::days(90);

/// A link as it is mailed, and nowhere else to be read.
pub(super) struct ClaimLinkUrl {
    pub(super) url: String,
    pub(super) until: OffsetDateTime,
}

/// Opens a claim for the charge's unexplained money, and makes the link that completes it. A claim
/// has one link; a new one takes the place of the one before.
///
/// `None` when there is nobody to mail it to, or nothing left to ask because an address is there.
pub(super) async fn open(
    gateway: &Gateway,
    unit: &mut Unit,
    row: &ChargeRow,
    receipts: &[ReceiptRow],
) -> Result<Option<ClaimLinkUrl>> {
    let now = unit.now();
    let amount = refundable(row, receipts);
    claim_link_store::open_claim(unit.conn(), row.id, amount, now).await?;
    if row.customer.email.trim().is_empty() {
        return Ok(None);
    }
    let token = new_token()?;
    let until = now + LINK_LIFE;
    let hash = digest(&token);
    let replaced = claim_link_store::replace_link(unit.conn(), row.id, &hash, until).await?;
    let path = claim_path(&token);
    let url = format!("{}{path}", gateway.settings().public_url);
    Ok(replaced.then_some(ClaimLinkUrl { url, until }))
}

/// Path of the page a token opens.
pub(super) fn claim_path(token: &str) -> String {
    format!("/refund/{token}")
}

/// What is stored of a token.
///
/// # Errors
/// [`Error::NotFound`] for a text that cannot be one; it is not looked up.
pub(super) fn token_hash(token: &str) -> Result<[u8; 32]> {
    let shaped = token.len() == TOKEN_CHARS
        && token
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
    if shaped {
        Ok(digest(token))
    } else {
        Err(Error::NotFound)
    }
}

fn new_token() -> Result<String> {
    let mut bytes = [0u8; TOKEN_BYTES];
    getrandom::fill(&mut bytes).map_err(Error::internal)?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn tokens_differ_and_have_the_shape_that_is_looked_up() {
        let (one, two) = (new_token().unwrap(), new_token().unwrap());
        assert_ne!(one, two);
        assert_ne!(token_hash(&one).unwrap(), token_hash(&two).unwrap());
        for text in ["", "x", &one[1..], &format!("{one}a"), &"é".repeat(22)] {
            assert!(matches!(token_hash(text), Err(Error::NotFound)), "{text}");
        }
    }
}
