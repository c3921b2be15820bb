//! The hosted checkout, `/pay/{EX-…}`: plain forms that work without a session and without scripts.

use app::pages::CheckoutPage;
use axum::Form;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use gateway::{Error, Gateway};
use leptos::prelude::*;
use serde::Deserialize;

use super::document::document;
use super::errors::Refusal;
use super::hosted::Hosted;
use super::local_path::encode;
use super::notices::{Code, notice};
use crate::state::AppState;

/// Parameters of the page and of what belongs to it.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct PayQuery {
    t: Option<String>,
    notice: String,
}

impl PayQuery {
    /// The page's token, when it was opened with one.
    pub(super) fn token(&self) -> Option<&str> {
        self.t.as_deref()
    }
}

/// One of the page's forms (`80`, Charges). More than one field is taken in this order.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct PayForm {
    method: Option<String>,
    requote: Option<String>,
    refund_address: Option<String>,
    cancel: Option<String>,
}

/// An order id that can exist. Anything else is not looked up: the page of an unknown id, at once.
pub(super) fn known_shape(id: &str) -> Result<&str, Refusal> {
    let code = id.strip_prefix("EX-").ok_or(Refusal::NotFound)?;
    let shaped = code.len() == 10
        && code
            .bytes()
            .all(|byte| matches!(byte, b'A'..=b'Z' | b'2'..=b'7'));
    if shaped {
        Ok(id)
    } else {
        Err(Refusal::NotFound)
    }
}

/// The page as it stands.
pub(super) async fn show(
    State(state): State<AppState>,
    hosted: Hosted,
    Query(query): Query<PayQuery>,
) -> Result<Response, Refusal> {
    let mut view = state
        .gateway
        .checkout_at(&hosted.base, &hosted.public_id, query.token())
        .await?;
    view.notice = notice(&query.notice);
    Ok(document(
        StatusCode::OK,
        move || view! { <CheckoutPage view=view/> },
    ))
}

/// Picks a coin, takes a new rate, leaves a refund address or calls it off, then leads back to the
/// page.
pub(super) async fn submit(
    State(state): State<AppState>,
    hosted: Hosted,
    Query(query): Query<PayQuery>,
    Form(form): Form<PayForm>,
) -> Result<Response, Refusal> {
    let id = hosted.public_id.as_str();
    let token = query.token();
    // A wrong token and an unknown id give the same page here as they do above.
    state.gateway.checkout(id, token).await?;
    let said = match apply(&state.gateway, id, token, form).await {
        Ok(said) => said,
        Err(error) => Some(Code::of_checkout(error)?),
    };
    Ok(Redirect::to(&page_path(&hosted.base, token, said)).into_response())
}

async fn apply(
    gateway: &Gateway,
    id: &str,
    token: Option<&str>,
    form: PayForm,
) -> Result<Option<Code>, Error> {
    let mut said = None;
    if let Some(method) = form.method {
        gateway.choose_method(id, &method).await?;
    }
    if form.requote.as_deref() == Some("1") {
        gateway.requote(id).await?;
    }
    if let Some(address) = form.refund_address {
        gateway.leave_refund_address(id, token, &address).await?;
        said = Some(Code::RefundAddressKept);
    }
    if form.cancel.as_deref() == Some("1") {
        gateway.cancel_as_customer(id, token).await?;
    }
    Ok(said)
}

fn page_path(base: &str, token: Option<&str>, said: Option<Code>) -> String {
    let token = token.map(|token| format!("t={}", encode(token)));
    let notice = said.map(|code| format!("notice={}", code.word()));
    let query: Vec<String> = token.into_iter().chain(notice).collect();
    if query.is_empty() {
        base.to_owned()
    } else {
        format!("{base}?{}", query.join("&"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_order_ids_are_looked_up() {
        assert_eq!(known_shape("EX-4K7QZ2MX3A"), Ok("EX-4K7QZ2MX3A"));
        for other in [
            "",
            "EX-",
            "EX-4K7QZ2MX3",
            "EX-4K7QZ2MX3A1",
            "EX-4k7qz2mx3a",
            "EX-4K7QZ2MX3\0",
        ] {
            assert_eq!(known_shape(other), Err(Refusal::NotFound), "{other:?}");
        }
    }

    #[test]
    fn the_way_back_keeps_the_token() {
        let id = "/pay/EX-4K7QZ2MX3A";
        assert_eq!(page_path(id, None, None), "/pay/EX-4K7QZ2MX3A");
        assert_eq!(
            page_path(id, Some("ab_-"), None),
            "/pay/EX-4K7QZ2MX3A?t=ab_-"
        );
        assert_eq!(
            page_path(id, Some("a&b"), Some(Code::NoQuote)),
            "/pay/EX-4K7QZ2MX3A?t=a%26b&notice=no-quote"
        );
    }
}
