//! One invoice: its page, its link by mail, calling it off, its PDF.

use app::pages::InvoicePage;
use axum::Form;
use axum::extract::{Path, Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use domain::view::checkout::Notice;
use gateway::auth::Permission;
use gateway::invoices::Sending;
use gateway::{Error, Gateway};
use leptos::prelude::*;
use serde::Deserialize;
use tokio::task::spawn_blocking;

use super::super::document::document;
use super::super::errors::Refusal;
use super::super::notices::{Code, notice};
use super::super::query::NoticeQuery;
use super::super::visitor::Visitor;
use super::PATH;
use crate::documents::render_invoice;
use crate::http::formats::is_email;
use crate::state::AppState;

/// Characters of an invoice's code (`00-domain.md`, Identifiers).
const CODE_CHARS: std::ops::RangeInclusive<usize> = 6..=10;

/// Everything about one invoice.
pub(super) async fn show(
    State(state): State<AppState>,
    visitor: Visitor,
    Path(code): Path<String>,
    Query(query): Query<NoticeQuery>,
) -> Result<Response, Refusal> {
    visitor.may(Permission::ManageInvoices)?;
    let code = known_shape(&code)?;
    let said = notice(&query.notice);
    one(&state.gateway, &visitor, code, None, said).await
}

/// Where the link goes.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct SendForm {
    email: String,
}

/// Mails the link.
pub(super) async fn send(
    State(state): State<AppState>,
    visitor: Visitor,
    Path(code): Path<String>,
    Form(form): Form<SendForm>,
) -> Result<Response, Refusal> {
    visitor.may(Permission::ManageInvoices)?;
    let (gateway, code) = (&state.gateway, known_shape(&code)?);
    let to = form.email.trim();
    if !is_email(to) {
        let said = Notice {
            is_error: true,
            text: "E-mail must be one address such as anna@example.com. Nothing was sent."
                .to_owned(),
            field: Some("email".to_owned()),
        };
        return one(gateway, &visitor, code, Some(form.email), Some(said)).await;
    }
    let by = visitor.actor();
    let sent = gateway
        .send_invoice_link(visitor.merchant_id, code, to, by, Sending::Again)
        .await;
    // Whoever pressed twice within a minute sent it once, and is told so once.
    answer(code, sent.map(|_| Code::InvoiceSent))
}

/// Calls an invoice off that nobody has paid.
pub(super) async fn void(
    State(state): State<AppState>,
    visitor: Visitor,
    Path(code): Path<String>,
) -> Result<Response, Refusal> {
    visitor.may(Permission::ManageInvoices)?;
    let code = known_shape(&code)?;
    let done = state
        .gateway
        .void_invoice(visitor.merchant_id, code, visitor.actor())
        .await;
    answer(code, done.map(|()| Code::InvoiceVoided))
}

/// The invoice as a PDF.
pub(super) async fn pdf(
    State(state): State<AppState>,
    visitor: Visitor,
    Path(code): Path<String>,
) -> Result<Response, Refusal> {
    visitor.may(Permission::ManageInvoices)?;
    visitor.may(Permission::ExportData)?;
    let code = known_shape(&code)?;
    let view = state
        .gateway
        .invoice_document(visitor.merchant_id, code)
        .await?;
    let rendered = spawn_blocking(move || render_invoice(&view)).await;
    let bytes = match rendered {
        Ok(Ok(bytes)) => bytes,
        Ok(Err(error)) => {
            tracing::error!(%error, code, "an invoice could not be rendered");
            return Err(Refusal::Internal);
        }
        Err(error) => {
            tracing::error!(%error, code, "rendering an invoice panicked");
            return Err(Refusal::Internal);
        }
    };
    let headers = [
        (header::CONTENT_TYPE, "application/pdf".to_owned()),
        (
            header::CONTENT_DISPOSITION,
            format!("inline; filename=\"invoice-{code}.pdf\""),
        ),
    ];
    Ok((headers, bytes).into_response())
}

/// A code that can exist; anything else is not looked up.
fn known_shape(code: &str) -> Result<&str, Refusal> {
    let shaped =
        CODE_CHARS.contains(&code.len()) && code.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if shaped {
        Ok(code)
    } else {
        Err(Refusal::NotFound)
    }
}

fn answer(code: &str, done: Result<Code, Error>) -> Result<Response, Refusal> {
    let said = match done {
        Ok(said) => said,
        Err(error) => Code::of_dashboard(error, Code::NotPossible)?,
    };
    Ok(Redirect::to(&format!("{PATH}/{code}?notice={}", said.word())).into_response())
}

/// The page of an invoice; `typed` is an address that could not be used.
async fn one(
    gateway: &Gateway,
    visitor: &Visitor,
    code: &str,
    typed: Option<String>,
    said: Option<Notice>,
) -> Result<Response, Refusal> {
    let mut view = gateway
        .invoice_detail(visitor.merchant_id, code, true)
        .await?;
    let refused = typed.is_some();
    if let Some(typed) = typed {
        view.send_to = typed;
    }
    view.notice = said;
    let status = if refused {
        StatusCode::UNPROCESSABLE_ENTITY
    } else {
        StatusCode::OK
    };
    let frame = visitor.frame(gateway, None).await?;
    Ok(document(
        status,
        move || view! { <InvoicePage frame=frame view=view/> },
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_a_code_is_not_looked_up() {
        assert_eq!(known_shape("RB9NZv"), Ok("RB9NZv"));
        for wrong in ["", "RB9NZ", "RB9NZv12345", "RB9NZ/", "RB9NZ\0", "ĀRB9NZ"] {
            assert_eq!(known_shape(wrong), Err(Refusal::NotFound), "{wrong:?}");
        }
    }
}
