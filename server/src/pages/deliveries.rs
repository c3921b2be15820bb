//! The delivery log: the list, one delivery, the CSV, and sending one again.

use app::pages::{DeliveriesPage, DeliveryPage};
use axum::Router;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use domain::view::developers::DeliveryFilter;
use gateway::auth::Permission;
use gateway::dashboard::{DELIVERY_COLUMNS, Place};
use gateway::{Error, FieldError};
use leptos::prelude::*;
use serde::Deserialize;
use url::Url;

use super::checkout::known_shape;
use super::csv;
use super::document::document;
use super::errors::Refusal;
use super::forms::{Label, blame};
use super::notices::{Code, notice};
use super::query::NoticeQuery;
use super::query::number;
use super::visitor::Visitor;
use crate::state::AppState;

const PATH: &str = "/app/deliveries";

const LABELS: [Label; 2] = [("state", "state", "State"), ("event", "event", "Event")];

/// Lists whose details show deliveries by number.
const NUMBERED: [&str; 4] = ["deliveries", "deposits", "withdrawals", "exchanges"];

pub(super) fn routes() -> Router<AppState> {
    Router::new()
        .route("/app/deliveries", get(show))
        .route("/app/deliveries.csv", get(export))
        .route("/app/deliveries/{id}", get(detail))
        .route("/app/deliveries/{id}/redeliver", post(redeliver))
}

/// Each as text: a link that somebody edited by hand still gives a page.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct LogQuery {
    state: String,
    event: String,
    before: String,
    after: String,
    notice: String,
}

impl LogQuery {
    fn filter(&self) -> DeliveryFilter {
        DeliveryFilter {
            state: self.state.trim().to_owned(),
            event: self.event.trim().to_owned(),
        }
    }

    /// The newest page, also for what is no number.
    fn place(&self) -> Place {
        let id = |text: &str| text.parse::<i64>().ok().filter(|id| *id > 0);
        match (id(&self.before), id(&self.after)) {
            (Some(id), _) => Place::Before(id),
            (None, Some(id)) => Place::After(id),
            (None, None) => Place::Newest,
        }
    }
}

/// The log, filtered as the URL says. A filter that means nothing is named above it and left out.
async fn show(
    State(state): State<AppState>,
    visitor: Visitor,
    Query(query): Query<LogQuery>,
) -> Result<Response, Refusal> {
    visitor.may(Permission::ReadDeliveries)?;
    let (gateway, merchant) = (&state.gateway, visitor.merchant_id);
    let may_redeliver = visitor.has(Permission::Redeliver);
    let (filter, place) = (query.filter(), query.place());
    let listed = gateway
        .delivery_list(merchant, filter.clone(), place, may_redeliver)
        .await;
    let (status, view) = match listed {
        Err(Error::Invalid(wrong)) => {
            let rest = without(filter.clone(), &wrong);
            let mut view = gateway
                .delivery_list(merchant, rest, Place::Newest, may_redeliver)
                .await?;
            // What was asked for stays in the form.
            view.filter = filter;
            view.notice = blame(&wrong, &LABELS);
            (StatusCode::UNPROCESSABLE_ENTITY, view)
        }
        listed => (StatusCode::OK, listed?),
    };
    let frame = visitor.frame(gateway, notice(&query.notice)).await?;
    Ok(document(
        status,
        move || view! { <DeliveriesPage frame=frame view=view/> },
    ))
}

/// One delivery with all its attempts.
async fn detail(
    State(state): State<AppState>,
    visitor: Visitor,
    Path(id): Path<String>,
    Query(query): Query<NoticeQuery>,
) -> Result<Response, Refusal> {
    visitor.may(Permission::ReadDeliveries)?;
    let id = number(&id)?;
    let view = state
        .gateway
        .delivery_detail(visitor.merchant_id, id)
        .await?;
    let frame = visitor.frame(&state.gateway, notice(&query.notice)).await?;
    Ok(document(
        StatusCode::OK,
        move || view! { <DeliveryPage frame=frame view=view/> },
    ))
}

/// Exactly what the filter lists, as CSV.
async fn export(
    State(state): State<AppState>,
    visitor: Visitor,
    Query(query): Query<LogQuery>,
) -> Result<Response, Refusal> {
    visitor.may(Permission::ReadDeliveries)?;
    visitor.may(Permission::ExportData)?;
    let (gateway, merchant, filter) = (state.gateway, visitor.merchant_id, query.filter());
    let name = csv::file_name("deliveries", gateway.clock().now());
    let rows = move |before: Option<i64>| {
        let (gateway, filter) = (gateway.clone(), filter.clone());
        async move { gateway.export_deliveries(merchant, &filter, before).await }
    };
    csv::download(&name, &DELIVERY_COLUMNS, rows).await
}

/// Sends a webhook again, byte for byte, and leads back to the page the button was on.
async fn redeliver(
    State(state): State<AppState>,
    visitor: Visitor,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    visitor.may(Permission::Redeliver)?;
    let id = number(&id)?;
    let code = match state.gateway.redeliver(visitor.merchant_id, id).await {
        Ok(()) => Code::SentAgain,
        Err(Error::Conflict(_)) => Code::SendingNow,
        Err(error) => return Err(error.into()),
    };
    let page = page_of_referer(&headers).unwrap_or_else(|| PATH.to_owned());
    Ok(Redirect::to(&format!("{page}?notice={}", code.word())).into_response())
}

/// The page the form was on, if it is one that shows deliveries. It is put together from known
/// words, so the header cannot lead anywhere else.
fn page_of_referer(headers: &HeaderMap) -> Option<String> {
    let referer = headers.get(header::REFERER)?.to_str().ok()?;
    let url = Url::parse(referer).ok()?;
    let rest = url.path().strip_prefix("/app/")?;
    match rest.split_once('/') {
        None if rest == "callbacks" => Some("/app/callbacks".to_owned()),
        None => None,
        Some(("charges", id)) => known_shape(id).ok().map(|id| format!("/app/charges/{id}")),
        Some((list, id)) => {
            let list = NUMBERED.into_iter().find(|known| *known == list)?;
            let id: u32 = id.parse().ok()?;
            Some(format!("/app/{list}/{id}"))
        }
    }
}

fn without(mut filter: DeliveryFilter, wrong: &[FieldError]) -> DeliveryFilter {
    for error in wrong {
        match error.field.as_str() {
            "state" => filter.state.clear(),
            "event" => filter.event.clear(),
            _ => {}
        }
    }
    filter
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_referer_tells_a_known_page_and_nothing_else() {
        let of = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::REFERER, text.parse().unwrap());
            page_of_referer(&headers)
        };
        let on_this_host = |path: &str| of(&format!("http://127.0.0.1:3000{path}"));
        for (path, page) in [
            (
                "/app/charges/EX-4K7QZ2MX3A?notice=accepted",
                "/app/charges/EX-4K7QZ2MX3A",
            ),
            ("/app/deposits/12", "/app/deposits/12"),
            ("/app/deliveries/7#x", "/app/deliveries/7"),
            ("/app/callbacks?notice=test-sent", "/app/callbacks"),
        ] {
            assert_eq!(on_this_host(path).as_deref(), Some(page), "{path}");
        }
        for path in [
            "/app/charges",
            "/app/deliveries",
            "/app/keys/1",
            "/app/deposits/x",
        ] {
            assert_eq!(on_this_host(path), None, "{path}");
        }
        assert_eq!(of("https://evil.example/app/charges/..//x"), None);
    }

    #[test]
    fn a_place_is_a_number_or_the_newest_page() {
        let at = |before: &str, after: &str| {
            LogQuery {
                before: before.to_owned(),
                after: after.to_owned(),
                ..LogQuery::default()
            }
            .place()
        };
        assert_eq!(at("7", ""), Place::Before(7));
        assert_eq!(at("", "7"), Place::After(7));
        assert_eq!(at("x", "-1"), Place::Newest);
    }
}
