//! The external vocabularies over one gateway. A dialect never reads another one's files.

mod envelope;
pub mod orders;
pub mod processing;

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use gateway::outbox::{EventRecord, Format, MerchantKeys, Render, RenderedBody};

/// Writes webhook bodies, each format in its dialect's words.
#[derive(Debug, Clone, Copy, Default)]
pub struct WebhookBodies;

impl Render for WebhookBodies {
    fn render(
        &self,
        format: Format,
        event: &EventRecord,
        keys: &MerchantKeys,
    ) -> Option<RenderedBody> {
        match format {
            Format::Standard => envelope::render(event),
            Format::Orders => orders::webhook::render(event, keys),
            Format::Processing => processing::webhook::render(event, keys),
            // Their dialects are not spoken yet, so there is no word for any event.
            Format::Gateway | Format::Ipn => None,
        }
    }
}

/// Whose shape an answer has to have when nobody got to make one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Audience {
    /// Programs: `{"message": …}`.
    Orders,
    /// Programs: `{"error": …, "code": …}`.
    Processing,
    /// People.
    Page,
}

impl Audience {
    fn of(path: &str) -> Self {
        let is_below = |prefix: &str| {
            path.strip_prefix(prefix)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        if is_below("/api/v2") {
            Self::Processing
        } else if is_below("/api") || is_below("/sandbox") {
            Self::Orders
        } else {
            Self::Page
        }
    }
}

/// The answer to a request that broke us. It tells nothing; the log does, under the request's name.
/// The dialects have no field for that name: their callers find it in the header.
pub fn server_error(path: &str, request_id: Option<&str>) -> Response {
    match Audience::of(path) {
        Audience::Orders => orders::Error::internal().into_response(),
        Audience::Processing => processing::Error::internal().into_response(),
        Audience::Page => {
            let mut text = "Something went wrong on our side. Please try again.\n".to_owned();
            if let Some(id) = request_id {
                text.push_str("Request ");
                text.push_str(id);
                text.push('\n');
            }
            (StatusCode::INTERNAL_SERVER_ERROR, text).into_response()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_and_people_are_answered_apart() {
        for path in ["/api", "/api/orders/EX-1", "/sandbox/mine"] {
            assert_eq!(Audience::of(path), Audience::Orders, "{path}");
        }
        for path in ["/api/v2", "/api/v2/accounts/list"] {
            assert_eq!(Audience::of(path), Audience::Processing, "{path}");
        }
        for path in ["/", "/apis", "/pay/EX-1", "/sandboxes"] {
            assert_eq!(Audience::of(path), Audience::Page, "{path}");
        }
    }
}
