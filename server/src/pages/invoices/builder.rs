//! The form that makes invoices. Every button sends the whole form; all but two only show it again.

use app::pages::InvoiceBuilderPage;
use axum::extract::{RawForm, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use domain::invoice::{LINES_MAX, Problem};
use domain::view::invoices::InvoiceForm;
use gateway::auth::Permission;
use gateway::invoices::{Issued, Sending};
use gateway::{Error, Gateway};
use leptos::prelude::*;

use super::super::document::document;
use super::super::errors::Refusal;
use super::super::forms;
use super::super::notices::Code;
use super::super::visitor::Visitor;
use super::PATH;
use super::form::{self, Sent, Step};
use crate::state::AppState;

const NEW: &str = "/app/invoices/new";

/// The empty form.
pub(super) async fn show(
    State(state): State<AppState>,
    visitor: Visitor,
) -> Result<Response, Refusal> {
    visitor.may(Permission::ManageInvoices)?;
    let form = Shown {
        form: InvoiceForm::default(),
        key: None,
        problems: Vec::new(),
        focus: None,
    };
    page(&state.gateway, &visitor, form).await
}

/// Moves lines about, shows what it comes to, or makes the invoice and leads to it.
pub(super) async fn submit(
    State(state): State<AppState>,
    visitor: Visitor,
    RawForm(body): RawForm,
) -> Result<Response, Refusal> {
    visitor.may(Permission::ManageInvoices)?;
    let gateway = &state.gateway;
    let mut sent = form::read(&body);
    let problems = match sent.step {
        Step::Issue | Step::Send => match issue(gateway, &visitor, &sent).await? {
            Issued::Made(code) => return made(gateway, &visitor, &sent, &code).await,
            Issued::Wrong(problems) => problems,
            Issued::UsedUp => {
                // With a new key, so that the button makes another one when it is pressed again.
                let shown = Shown {
                    form: sent.form,
                    key: Some(String::new()),
                    problems: vec![used_up()],
                    focus: None,
                };
                return page(gateway, &visitor, shown).await;
            }
        },
        Step::Preview => judge(gateway, &sent.form, false),
        step => {
            let (focus, problems) = rearrange(&mut sent.form, step);
            let shown = Shown {
                form: sent.form,
                key: Some(sent.key),
                problems,
                focus,
            };
            return page(gateway, &visitor, shown).await;
        }
    };
    let shown = Shown {
        form: sent.form,
        key: Some(sent.key),
        problems,
        focus: None,
    };
    page(gateway, &visitor, shown).await
}

/// The line that has the focus then, and what could not be done.
fn rearrange(form: &mut InvoiceForm, step: Step) -> (Option<usize>, Vec<Problem>) {
    match step {
        Step::Add => match form.add_line() {
            Some(number) => (Some(number), Vec::new()),
            None => {
                let text = format!("An invoice has at most {LINES_MAX} lines");
                (None, vec![Problem::new("", text)])
            }
        },
        Step::Remove(number) => {
            form.remove_line(number);
            (Some(number.clamp(1, form.lines.len())), Vec::new())
        }
        Step::Up(number) => (Some(form.raise_line(number)), Vec::new()),
        Step::Down(number) => {
            // Down is the next one up.
            let below = number.saturating_add(1);
            form.raise_line(below);
            (Some(below.clamp(1, form.lines.len().max(1))), Vec::new())
        }
        Step::Preview | Step::Issue | Step::Send => (None, Vec::new()),
    }
}

/// Everything that is wrong with the form, of which nothing is written.
fn judge(gateway: &Gateway, form: &InvoiceForm, must_send: bool) -> Vec<Problem> {
    let mut wrong = gateway.draft_invoice(form).err().unwrap_or_default();
    wrong.extend(form::check(form, must_send));
    wrong
}

async fn issue(gateway: &Gateway, visitor: &Visitor, sent: &Sent) -> Result<Issued, Refusal> {
    let wrong = judge(gateway, &sent.form, sent.step == Step::Send);
    if !wrong.is_empty() {
        return Ok(Issued::Wrong(wrong));
    }
    let words = serde_json::to_string(&sent.form).map_err(Error::internal)?;
    let Some(once) = forms::once(visitor.merchant_id, NEW, &sent.key, &[words.as_str()]) else {
        return Ok(Issued::UsedUp);
    };
    let by = visitor.actor();
    Ok(gateway
        .issue_invoice(visitor.merchant_id, &sent.form, once, by)
        .await?)
}

/// To the invoice's own page; the link is mailed first when that was asked for. What cannot be mailed
/// is made all the same, and can be sent from its page.
async fn made(
    gateway: &Gateway,
    visitor: &Visitor,
    sent: &Sent,
    code: &str,
) -> Result<Response, Refusal> {
    let said = if sent.step == Step::Send {
        let (merchant, to) = (visitor.merchant_id, sent.form.customer_email.trim());
        let by = visitor.actor();
        let mailed = gateway
            .send_invoice_link(merchant, code, to, by, Sending::First)
            .await;
        match mailed {
            Ok(_) => Code::InvoiceMadeAndSent,
            Err(error) => {
                tracing::error!(%error, code, "the link of a new invoice was not mailed");
                Code::InvoiceNotSent
            }
        }
    } else {
        Code::InvoiceMade
    };
    Ok(Redirect::to(&format!("{PATH}/{code}?notice={}", said.word())).into_response())
}

fn used_up() -> Problem {
    Problem::new(
        "number",
        "This form has made an invoice already; this one was not made. Look at your invoices, or \
         press Create again with another number if you want both",
    )
}

/// The form as it is shown; without a key it is a new one, an empty key is replaced.
struct Shown {
    form: InvoiceForm,
    key: Option<String>,
    problems: Vec<Problem>,
    focus: Option<usize>,
}

async fn page(gateway: &Gateway, visitor: &Visitor, shown: Shown) -> Result<Response, Refusal> {
    let status = if shown.problems.is_empty() {
        StatusCode::OK
    } else {
        StatusCode::UNPROCESSABLE_ENTITY
    };
    let mut view = gateway
        .invoice_builder(visitor.merchant_id, shown.form, shown.key, shown.problems)
        .await?;
    view.focus = shown.focus;
    let frame = visitor.frame(gateway, None).await?;
    Ok(document(
        status,
        move || view! { <InvoiceBuilderPage frame=frame view=view/> },
    ))
}

#[cfg(test)]
mod tests {
    use domain::view::invoices::LineForm;

    use super::*;

    fn form(names: &[&str]) -> InvoiceForm {
        let line = |name: &&str| LineForm {
            description: (*name).to_owned(),
            ..LineForm::default()
        };
        InvoiceForm {
            lines: names.iter().map(line).collect(),
            ..InvoiceForm::default()
        }
    }

    fn names(form: &InvoiceForm) -> Vec<&str> {
        form.lines
            .iter()
            .map(|line| line.description.as_str())
            .collect()
    }

    #[test]
    fn the_focus_follows_the_line() {
        let mut three = form(&["a", "b", "c"]);
        assert_eq!(rearrange(&mut three, Step::Down(1)).0, Some(2));
        assert_eq!(names(&three), ["b", "a", "c"]);
        assert_eq!(rearrange(&mut three, Step::Up(3)).0, Some(2));
        assert_eq!(names(&three), ["b", "c", "a"]);
        assert_eq!(rearrange(&mut three, Step::Remove(3)).0, Some(2));
        assert_eq!(rearrange(&mut three, Step::Down(usize::MAX)).0, Some(2));
        assert_eq!(names(&three), ["b", "c"]);
        assert_eq!(rearrange(&mut three, Step::Add).0, Some(3));
        let mut none = form(&[]);
        assert_eq!(rearrange(&mut none, Step::Down(1)).0, Some(1));
    }
}
