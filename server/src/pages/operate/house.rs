use app::pages::{FloorPage, HousePage, Section};
use axum::Form;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use domain::view::checkout::Notice;
use gateway::auth::Permission;
use gateway::operator::{FloorChange, HOUSE_COLUMNS};
use gateway::{Error, Gateway};
use leptos::prelude::*;
use serde::Deserialize;

use super::{Said, done, is_reason, is_stale, page_number, review, status_of};
use crate::pages::csv;
use crate::pages::document::document;
use crate::pages::errors::Refusal;
use crate::pages::forms::{Label, blame};
use crate::pages::notices::{Code, notice};
use crate::pages::visitor::Visitor;
use crate::state::AppState;

const PATH: &str = "/app/operate/house";

const LABELS: [Label; 2] = [
    ("currency", "filter-currency", "Currency"),
    ("floor", "floor", "Lowest balance"),
];

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct HouseQuery {
    currency: String,
    page: String,
    notice: String,
}

/// House accounts with the sums of every currency.
pub(super) async fn show(
    State(state): State<AppState>,
    visitor: Visitor,
    Query(query): Query<HouseQuery>,
) -> Result<Response, Refusal> {
    visitor.may(Permission::Operate)?;
    let gateway = &state.gateway;
    let asked = gateway.house_view(query.currency.trim(), page_number(&query.page));
    let view = match asked.await {
        Err(Error::Invalid(wrong)) => {
            let mut view = gateway.house_view("", 1).await?;
            view.notice = blame(&wrong, &LABELS);
            view
        }
        listed => listed?,
    };
    let status = status_of(view.notice.as_ref());
    let frame = visitor.frame(gateway, notice(&query.notice)).await?;
    Ok(document(
        status,
        move || view! { <HousePage frame=frame view=view/> },
    ))
}

/// The same accounts as CSV.
pub(super) async fn export(
    State(state): State<AppState>,
    visitor: Visitor,
    Query(query): Query<HouseQuery>,
) -> Result<Response, Refusal> {
    visitor.may(Permission::Operate)?;
    let gateway = state.gateway;
    let currency = query.currency.trim().to_owned();
    let name = csv::file_name("house-accounts", gateway.clock().now());
    let rows = move |_: Option<i64>| {
        let (gateway, currency) = (gateway.clone(), currency.clone());
        async move { gateway.export_house(&currency).await }
    };
    csv::download(&name, &HOUSE_COLUMNS, rows).await
}

/// The form that changes the floor of our liquidity in a currency.
pub(super) async fn form(
    State(state): State<AppState>,
    visitor: Visitor,
    Path(code): Path<String>,
) -> Result<Response, Refusal> {
    visitor.may(Permission::Operate)?;
    floor(&state.gateway, &visitor, &code, None, None).await
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct FloorForm {
    /// `save`, `edit`, or anything else to look at it first.
    step: String,
    floor: String,
    seen: String,
    reason: String,
}

/// Shows what would change, or changes it.
pub(super) async fn submit(
    State(state): State<AppState>,
    visitor: Visitor,
    Path(code): Path<String>,
    Form(sent): Form<FloorForm>,
) -> Result<Response, Refusal> {
    visitor.may(Permission::Operate)?;
    let gateway = &state.gateway;
    let change = FloorChange {
        floor: sent.floor,
        seen: sent.seen,
        reason: sent.reason,
    };
    match sent.step.as_str() {
        "edit" => floor(gateway, &visitor, &code, Some(&change), None).await,
        "save" => save(gateway, &visitor, &code, change).await,
        _ => reviewed(gateway, &visitor, &code, &change, Said::Nothing).await,
    }
}

async fn save(
    gateway: &Gateway,
    visitor: &Visitor,
    code: &str,
    change: FloorChange,
) -> Result<Response, Refusal> {
    let by = visitor.actor();
    match gateway.change_floor(code, change.clone(), &by).await {
        Ok(()) => Ok(done(PATH, Code::FloorSaved)),
        Err(Error::Invalid(wrong)) if is_reason(&wrong) => {
            reviewed(gateway, visitor, code, &change, Said::Wrong(wrong)).await
        }
        Err(Error::Invalid(wrong)) => {
            let said = blame(&wrong, &LABELS);
            floor(gateway, visitor, code, Some(&change), said).await
        }
        Err(Error::Conflict(_)) => reviewed(gateway, visitor, code, &change, Said::Conflict).await,
        Err(error) => Err(error.into()),
    }
}

async fn reviewed(
    gateway: &Gateway,
    visitor: &Visitor,
    code: &str,
    change: &FloorChange,
    said: Said,
) -> Result<Response, Refusal> {
    match gateway.review_floor(code, change).await {
        Ok(view) => {
            let said = if is_stale(&view, "seen", &change.seen) {
                Said::Conflict
            } else {
                said
            };
            review(gateway, visitor, Section::House, view, said).await
        }
        Err(Error::Invalid(wrong)) => {
            let said = blame(&wrong, &LABELS);
            floor(gateway, visitor, code, Some(change), said).await
        }
        Err(error) => Err(error.into()),
    }
}

async fn floor(
    gateway: &Gateway,
    visitor: &Visitor,
    code: &str,
    typed: Option<&FloorChange>,
    said: Option<Notice>,
) -> Result<Response, Refusal> {
    let mut view = gateway.floor_form(code).await?;
    if let Some(typed) = typed {
        view.floor.clone_from(&typed.floor);
    }
    view.notice = said;
    let status = status_of(view.notice.as_ref());
    let frame = visitor.frame(gateway, None).await?;
    Ok(document(
        status,
        move || view! { <FloorPage frame=frame view=view/> },
    ))
}
