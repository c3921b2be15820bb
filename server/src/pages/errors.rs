//! Errors as pages: what happened, whether money moved, one link (ux §0).

use app::pages::{ErrorPage, ErrorView};
use axum::extract::{Request, State};
use axum::http::{Extensions, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use gateway::Error;
use leptos::prelude::*;

use super::document::document;
use crate::http::request_id::RequestId;
use crate::state::AppState;

/// Why a page is not shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Refusal {
    /// Also for what belongs to somebody else: the same page in every byte.
    NotFound,
    /// The request means nothing, e.g. a filter that is no date.
    Meaningless,
    Forbidden,
    /// Signed in, but there is no merchant to look at.
    NoMerchant,
    /// Not possible as things stand; the sentence is one of ours.
    Conflict(String),
    TooMany,
    Unavailable,
    /// Too much is waiting already; come back after this many seconds.
    Busy(u64),
    /// It may have been done.
    Unclear,
    Internal,
    /// A status that axum or a layer answered with, without a page of its own.
    Other(StatusCode),
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        let retry_after = error.retry_after_seconds().unwrap_or(1);
        match error {
            Error::NotFound => Self::NotFound,
            Error::Unauthorized | Error::Forbidden => Self::Forbidden,
            Error::Invalid(_) => Self::Meaningless,
            Error::Refused(why) => Self::Conflict(sentence(&why.to_string())),
            Error::Conflict(why) => Self::Conflict(sentence(why)),
            Error::QuoteUnavailable { .. } => Self::Unavailable,
            Error::Overloaded { .. } => Self::Busy(retry_after),
            Error::IdempotencyMismatch | Error::IdempotencyInProgress | Error::AlreadyBooked => {
                Self::Conflict("This was done already.".to_owned())
            }
            Error::OutcomeUnknown => {
                tracing::error!(%error, "nobody knows whether what a form asked for was done");
                Self::Unclear
            }
            Error::Ledger(_) | Error::Database(_) | Error::Internal(_) | Error::StepsOut => {
                tracing::error!(%error, "a page could not be made");
                if error.is_transient() {
                    Self::Busy(retry_after)
                } else {
                    Self::Internal
                }
            }
        }
    }
}

/// Messages of errors are lower-case clauses.
fn sentence(clause: &str) -> String {
    let mut letters = clause.chars();
    let capital: String = letters
        .next()
        .map(|first| first.to_uppercase().collect())
        .unwrap_or_default();
    format!("{capital}{}.", letters.as_str())
}

impl IntoResponse for Refusal {
    /// The bare status; [`as_pages`] makes the page, which needs to know the instance.
    fn into_response(self) -> Response {
        let mut response = self.status().into_response();
        if let Self::Busy(seconds) = self {
            response
                .headers_mut()
                .insert(header::RETRY_AFTER, seconds.into());
        }
        response.extensions_mut().insert(self);
        response
    }
}

impl Refusal {
    fn status(&self) -> StatusCode {
        match self {
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::Meaningless => StatusCode::BAD_REQUEST,
            Self::Forbidden | Self::NoMerchant => StatusCode::FORBIDDEN,
            Self::Conflict(_) => StatusCode::CONFLICT,
            Self::TooMany => StatusCode::TOO_MANY_REQUESTS,
            Self::Unavailable | Self::Busy(_) | Self::Unclear => StatusCode::SERVICE_UNAVAILABLE,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Other(status) => *status,
        }
    }

    fn of_status(status: StatusCode) -> Self {
        match status {
            StatusCode::NOT_FOUND => Self::NotFound,
            StatusCode::FORBIDDEN => Self::Forbidden,
            StatusCode::BAD_REQUEST | StatusCode::UNPROCESSABLE_ENTITY => Self::Meaningless,
            StatusCode::TOO_MANY_REQUESTS => Self::TooMany,
            StatusCode::SERVICE_UNAVAILABLE => Self::Unavailable,
            StatusCode::INTERNAL_SERVER_ERROR => Self::Internal,
            other => Self::Other(other),
        }
    }

    /// The page of this refusal.
    pub(super) fn page(&self, state: &AppState, request: &Extensions) -> Response {
        let id = request
            .get::<RequestId>()
            .map(RequestId::as_str)
            .unwrap_or_default();
        let view = self.view(id, state.gateway.settings().test_mode);
        document(self.status(), move || view! { <ErrorPage view=view/> })
    }

    fn view(&self, request_id: &str, test_mode: bool) -> ErrorView {
        // Unknown and foreign codes give the identical page (`80`, Pages), so it names no request;
        // the answer's header does.
        let base = ErrorView::not_found(String::new(), test_mode);
        let request_id = request_id.to_owned();
        let with = |title: &str, what_happened: &str| ErrorView {
            status: self.status().as_u16(),
            title: title.to_owned(),
            what_happened: what_happened.to_owned(),
            request_id: request_id.clone(),
            ..base.clone()
        };
        match self {
            Self::NotFound => base,
            Self::Internal => ErrorView::internal(request_id, test_mode),
            Self::Meaningless => with(
                "This request makes no sense to us",
                "A part of the address or the form is not what we expect. Go back and check it.",
            ),
            Self::Forbidden => with(
                "You may not do this",
                "Your role does not allow it, or the form was not sent from our own page.",
            ),
            Self::NoMerchant => with(
                "No merchant to show",
                "You look after no merchant yet. The operator of this instance can assign one.",
            ),
            Self::Conflict(why) => with("This is not possible now", why),
            Self::TooMany => with("Too many requests", "Wait a minute, then try again."),
            Self::Unavailable | Self::Busy(_) => with(
                "We cannot answer right now",
                "This is a passing problem on our side. Try again in a moment.",
            ),
            Self::Unclear => ErrorView {
                money: "Money may have moved. Look at the list first, and do it again only if it is not there."
                    .to_owned(),
                ..with(
                    "We do not know whether this was done",
                    "Our database did not answer in time.",
                )
            },
            Self::Other(status) => with(
                status.canonical_reason().unwrap_or("Error"),
                "The request was refused.",
            ),
        }
    }
}

/// Middleware: an error that is not a page yet becomes one. Headers such as `Allow` and
/// `Retry-After` are kept.
pub(super) async fn as_pages(
    State(state): State<AppState>,
    request: Request,
    next: Next,
) -> Response {
    let mut known = Extensions::new();
    if let Some(id) = request.extensions().get::<RequestId>() {
        known.insert(id.clone());
    }
    let mut response = next.run(request).await;
    let refusal = match response.extensions_mut().remove::<Refusal>() {
        Some(refusal) => refusal,
        None if is_bare_error(&response) => Refusal::of_status(response.status()),
        None => return response,
    };
    let mut page = refusal.page(&state, &known);
    for name in [header::ALLOW, header::RETRY_AFTER] {
        if let Some(value) = response.headers().get(&name) {
            page.headers_mut().insert(name, value.clone());
        }
    }
    page
}

fn is_bare_error(response: &Response) -> bool {
    let status = response.status();
    let kind = response.headers().get(header::CONTENT_TYPE);
    let is_text = kind.is_none_or(|kind| kind.as_bytes().starts_with(b"text/plain"));
    (status.is_client_error() || status.is_server_error()) && is_text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_of_an_unknown_code_names_no_request() {
        let one = Refusal::NotFound.view("req_1", false);
        assert_eq!(one, Refusal::NotFound.view("req_2", false));
        assert_ne!(
            Refusal::Internal.view("req_1", false),
            Refusal::Internal.view("req_2", false)
        );
    }

    #[test]
    fn a_refusal_keeps_its_status() {
        for refusal in [
            Refusal::NotFound,
            Refusal::Conflict("No.".to_owned()),
            Refusal::Internal,
        ] {
            let status = refusal.status();
            let response = refusal.clone().into_response();
            assert_eq!(response.status(), status);
            assert_eq!(response.extensions().get::<Refusal>(), Some(&refusal));
        }
    }

    /// "Nothing was changed, try again" would have money paid twice.
    #[test]
    fn what_may_have_been_done_is_not_called_undone() {
        let refusal = Refusal::from(Error::OutcomeUnknown);
        assert_eq!(refusal, Refusal::Unclear);
        let view = refusal.view("req_1", false);
        assert_eq!(view.status, 503);
        assert!(view.money.starts_with("Money may have moved."), "{view:?}");
        assert!(!Error::OutcomeUnknown.is_transient());
    }

    #[test]
    fn an_overload_says_when_to_come_back() {
        let refusal = Refusal::from(Error::Overloaded {
            retry_after: std::time::Duration::from_millis(2_500),
        });
        assert_eq!(refusal, Refusal::Busy(3));
        let response = refusal.into_response();
        assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(
            response
                .headers()
                .get(header::RETRY_AFTER)
                .and_then(|value| value.to_str().ok()),
            Some("3")
        );
    }

    #[test]
    fn only_errors_without_a_page_become_one() {
        let plain = (StatusCode::METHOD_NOT_ALLOWED, "no").into_response();
        assert!(is_bare_error(&plain));
        assert!(is_bare_error(&StatusCode::NOT_FOUND.into_response()));
        assert!(!is_bare_error(&"fine".into_response()));
        let html = (
            StatusCode::UNPROCESSABLE_ENTITY,
            axum::response::Html("<p>"),
        )
            .into_response();
        assert!(!is_bare_error(&html));
    }

    #[test]
    fn clauses_become_sentences() {
        assert_eq!(
            sentence("a paid charge cannot do this"),
            "A paid charge cannot do this."
        );
    }
}
