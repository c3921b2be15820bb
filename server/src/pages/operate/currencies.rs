use app::pages::{Section, TermsEditPage, TermsListPage};
use axum::Form;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use domain::view::checkout::Notice;
use domain::view::operate::TermsEditView;
use gateway::auth::Permission;
use gateway::operator::{TERMS_COLUMNS, TermsForm};
use gateway::{Error, FieldError, Gateway};
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

const PATH: &str = "/app/operate/currencies";

/// For what no single input is to blame for; those bring their own words.
const LABELS: [Label; 1] = [("terms", "", "The terms")];

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct CurrenciesQuery {
    q: String,
    page: String,
    notice: String,
}

/// What is asked for each currency.
pub(super) async fn list(
    State(state): State<AppState>,
    visitor: Visitor,
    Query(query): Query<CurrenciesQuery>,
) -> Result<Response, Refusal> {
    visitor.may(Permission::Operate)?;
    let gateway = &state.gateway;
    let view = gateway
        .terms_view(&query.q, page_number(&query.page))
        .await?;
    let frame = visitor.frame(gateway, notice(&query.notice)).await?;
    Ok(document(
        StatusCode::OK,
        move || view! { <TermsListPage frame=frame view=view/> },
    ))
}

/// The same as CSV, with every value.
pub(super) async fn export(
    State(state): State<AppState>,
    visitor: Visitor,
    Query(query): Query<CurrenciesQuery>,
) -> Result<Response, Refusal> {
    visitor.may(Permission::Operate)?;
    let gateway = state.gateway;
    let name = csv::file_name("currencies", gateway.clock().now());
    let rows = move |_: Option<i64>| {
        let (gateway, q) = (gateway.clone(), query.q.clone());
        async move { gateway.export_terms(&q).await }
    };
    csv::download(&name, &TERMS_COLUMNS, rows).await
}

/// The form that edits the terms of one currency.
pub(super) async fn form(
    State(state): State<AppState>,
    visitor: Visitor,
    Path(code): Path<String>,
) -> Result<Response, Refusal> {
    visitor.may(Permission::Operate)?;
    let view = state.gateway.terms_form(&code).await?;
    edit(&state.gateway, &visitor, view).await
}

/// Shows what would change, or changes it.
pub(super) async fn submit(
    State(state): State<AppState>,
    visitor: Visitor,
    Path(code): Path<String>,
    Form(sent): Form<TermsForm>,
) -> Result<Response, Refusal> {
    visitor.may(Permission::Operate)?;
    let gateway = &state.gateway;
    let step = text(&sent, "step").to_owned();
    match step.as_str() {
        "edit" => {
            let view = gateway.terms_form_again(&code, &sent, &[]).await?;
            edit(gateway, &visitor, view).await
        }
        "save" => save(gateway, &visitor, &code, sent).await,
        _ => reviewed(gateway, &visitor, &code, &sent, Said::Nothing).await,
    }
}

async fn save(
    gateway: &Gateway,
    visitor: &Visitor,
    code: &str,
    sent: TermsForm,
) -> Result<Response, Refusal> {
    let (reason, by) = (text(&sent, "reason").to_owned(), visitor.actor());
    match gateway.change_terms(code, sent.clone(), &reason, &by).await {
        Ok(()) => Ok(done(PATH, Code::TermsSaved)),
        Err(Error::Invalid(wrong)) if is_reason(&wrong) => {
            reviewed(gateway, visitor, code, &sent, Said::Wrong(wrong)).await
        }
        Err(Error::Invalid(wrong)) => wrong_form(gateway, visitor, code, &sent, &wrong).await,
        Err(Error::Conflict(_)) => reviewed(gateway, visitor, code, &sent, Said::Conflict).await,
        Err(error) => Err(error.into()),
    }
}

async fn reviewed(
    gateway: &Gateway,
    visitor: &Visitor,
    code: &str,
    sent: &TermsForm,
    said: Said,
) -> Result<Response, Refusal> {
    match gateway.review_terms(code, sent, text(sent, "reason")).await {
        Ok(view) => {
            let said = if is_stale(&view, "version", text(sent, "version")) {
                Said::Conflict
            } else {
                said
            };
            review(gateway, visitor, Section::Currencies, view, said).await
        }
        Err(Error::Invalid(wrong)) => wrong_form(gateway, visitor, code, sent, &wrong).await,
        Err(error) => Err(error.into()),
    }
}

async fn wrong_form(
    gateway: &Gateway,
    visitor: &Visitor,
    code: &str,
    sent: &TermsForm,
    wrong: &[FieldError],
) -> Result<Response, Refusal> {
    let mut view = gateway.terms_form_again(code, sent, wrong).await?;
    let first = view.inputs.iter().find_map(|input| {
        let text = input.error.clone()?;
        Some(Notice {
            is_error: true,
            text,
            field: Some(input.name.to_owned()),
        })
    });
    view.notice = first.or_else(|| blame(wrong, &LABELS));
    edit(gateway, visitor, view).await
}

async fn edit(
    gateway: &Gateway,
    visitor: &Visitor,
    view: TermsEditView,
) -> Result<Response, Refusal> {
    let status = status_of(view.notice.as_ref());
    let frame = visitor.frame(gateway, None).await?;
    Ok(document(
        status,
        move || view! { <TermsEditPage frame=frame view=view/> },
    ))
}

fn text<'a>(form: &'a TermsForm, name: &str) -> &'a str {
    form.get(name).map_or("", String::as_str)
}
