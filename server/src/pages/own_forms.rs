//! Forms of other sites' pages are refused before anything of them is read.
//!
//! Customers' pages know nobody by a cookie, so that one, whosever it is, decides nothing there.

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::session;
use crate::http::cross_site::{is_foreign, is_foreign_to_session};
use crate::http::security_headers::is_customer_page;
use crate::state::AppState;

/// Middleware for every page with forms.
pub(super) async fn guard(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let public_url = &state.gateway.settings().public_url;
    let (method, headers) = (request.method(), request.headers());
    let foreign = if is_customer_page(request.uri().path()) {
        is_foreign(method, headers, public_url)
    } else {
        let has_session = session::token(headers, public_url).is_some();
        is_foreign_to_session(method, headers, public_url, has_session)
    };
    if foreign {
        tracing::info!(
            path = request.uri().path(),
            "refused a form from another site"
        );
        let text = "This form was not sent from our own page. Open the page and try again.\n";
        return (StatusCode::FORBIDDEN, text).into_response();
    }
    next.run(request).await
}
