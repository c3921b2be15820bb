//! Which charge a hosted page is about, and under which address it was opened: `/pay/{EX-…}` or
//! `/invoice/{code}`.

use axum::extract::{FromRequestParts, RawPathParams};
use axum::http::request::Parts;

use super::checkout::known_shape;
use super::errors::Refusal;
use crate::state::AppState;

/// Characters of an invoice's code (`00-domain.md`, Identifiers).
const CODE_CHARS: std::ops::RangeInclusive<usize> = 6..=10;

/// A charge and the path of its page, without what belongs to it.
#[derive(Debug, Clone)]
pub(super) struct Hosted {
    pub(super) public_id: String,
    pub(super) base: String,
}

impl FromRequestParts<AppState> for Hosted {
    type Rejection = Refusal;

    /// What cannot be an id or a code is not looked up, and leads to the page of an unknown one.
    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Refusal> {
        let given = RawPathParams::from_request_parts(parts, state)
            .await
            .ok()
            .and_then(|params| params.iter().next().map(|(_, value)| value.to_owned()))
            .ok_or(Refusal::NotFound)?;
        if !parts.uri.path().starts_with("/invoice/") {
            let public_id = known_shape(&given)?.to_owned();
            let base = format!("/pay/{public_id}");
            return Ok(Self { public_id, base });
        }
        let shaped = CODE_CHARS.contains(&given.len())
            && given.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if !shaped {
            return Err(Refusal::NotFound);
        }
        let public_id = state.gateway.charge_of_invoice(&given).await?;
        Ok(Self {
            public_id,
            base: format!("/invoice/{given}"),
        })
    }
}
