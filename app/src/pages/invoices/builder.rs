use domain::invoice::Problem;
use domain::view::checkout::Notice;
use domain::view::dashboard::Frame;
use domain::view::invoices::{InvoiceBuilderView, InvoiceForm};
use leptos::prelude::*;

use super::{NEW, lines, summary};
use crate::pages::frame::{DashboardPage, Section};
use crate::ui::{HiddenField, SelectField, TextField};

/// The form on the left, what it comes to on the right. Every button sends the whole form, so it
/// works without scripts; nothing is made before "Create".
#[component]
pub fn InvoiceBuilderPage(frame: Frame, view: InvoiceBuilderView) -> impl IntoView {
    let InvoiceBuilderView {
        mut form,
        key,
        currencies,
        coins,
        problems,
        preview,
        focus,
    } = view;
    let frame = Frame {
        notice: frame.notice.or_else(|| first(&problems)),
        ..frame
    };
    let code = form.currency.clone();
    let rows = lines::fields(std::mem::take(&mut form.lines), &problems, focus);
    let preview = match preview {
        Some(details) => summary::lines(details, code),
        None => view! { <p class="quiet">"Fill in the form and press Preview."</p> }.into_any(),
    };
    view! {
        <DashboardPage frame=frame title="New invoice" section=Section::Invoices>
            <form method="post" action=NEW novalidate>
                // The first button is what the Enter key presses: it must not remove a line.
                <button class="vh" name="step" value="preview" tabindex="-1" aria-hidden="true">
                    "Preview"
                </button>
                <HiddenField name="key" value=key/>
                <div class="columns">
                    <div class="card">
                        {customer(&form, &problems)}
                        <h2>"Lines"</h2>
                        {rows}
                        {payment(&form, &problems, currencies, coins)}
                    </div>
                    <section class="invoice-preview" aria-live="polite">
                        <h2>"Preview"</h2>
                        {preview}
                        <p class="actions">
                            <button class="btn" name="step" value="issue">
                                "Create and copy link"
                            </button>
                            <button class="btn-2" name="step" value="send">
                                "Create and send by e-mail"
                            </button>
                            <button class="btn-2" name="step" value="preview">"Preview"</button>
                        </p>
                    </section>
                </div>
            </form>
        </DashboardPage>
    }
}

/// The first problem above the form; the rest stand at their inputs.
fn first(problems: &[Problem]) -> Option<Notice> {
    let problem = problems.first()?;
    Some(Notice {
        is_error: true,
        text: format!("{}.", problem.text),
        field: Some(problem.input.clone()).filter(|input| !input.is_empty()),
    })
}

/// What is wrong with one input.
fn wrong(problems: &[Problem], input: &str) -> Option<String> {
    let problem = problems.iter().find(|problem| problem.input == input)?;
    Some(problem.text.clone())
}

fn customer(form: &InvoiceForm, problems: &[Problem]) -> AnyView {
    let form = form.clone();
    let wrong = |input: &str| wrong(problems, input);
    view! {
        <h2>"Invoice"</h2>
        <TextField
            name="number"
            label="Number"
            value=form.number
            hint="Your own; one number makes one invoice"
            error=wrong("number")
        />
        <TextField
            name="title"
            label="Title (optional)"
            value=form.title
            hint="What it is for; the customer's page begins with it"
            error=wrong("title")
            prose=true
        />
        <h2>"Customer"</h2>
        <TextField
            name="customer_name"
            label="Name"
            value=form.customer_name
            error=wrong("customer_name")
        />
        <TextField
            name="customer_email"
            label="E-mail (optional)"
            value=form.customer_email
            kind="email"
            hint="For the link, and to ask where to refund when the amount does not match"
            error=wrong("customer_email")
        />
        <TextField
            name="customer_address"
            label="Address (optional)"
            value=form.customer_address
            hint="On the PDF only"
            error=wrong("customer_address")
        />
    }
    .into_any()
}

fn payment(
    form: &InvoiceForm,
    problems: &[Problem],
    currencies: Vec<String>,
    coins: Vec<(String, String)>,
) -> AnyView {
    let form = form.clone();
    let wrong = |input: &str| wrong(problems, input);
    // A menu has no place of its own for what is wrong with it.
    let beside = |input: &str| wrong(input).map(|text| view! { <p class="field-error">{text}</p> });
    let currencies = currencies
        .into_iter()
        .map(|code| (code.clone(), code))
        .collect();
    let coins = std::iter::once((String::new(), "Any coin".to_owned()))
        .chain(coins)
        .collect();
    let clocks = vec![
        (
            "picked".to_owned(),
            "Fixed for 15 minutes when the customer picks a coin".to_owned(),
        ),
        ("now".to_owned(), "The 15 minutes run from now".to_owned()),
    ];
    view! {
        <TextField
            name="shipping"
            label="Shipping (optional)"
            value=form.shipping
            inputmode="decimal"
            hint="Without tax; tax is worked out for each line and rounded to its last digit"
            error=wrong("shipping")
        />
        <h2>"Payment"</h2>
        <SelectField name="currency" label="Currency" options=currencies selected=form.currency/>
        {beside("currency")}
        <SelectField name="coin" label="Customer pays with" options=coins selected=form.coin/>
        {beside("coin")}
        <SelectField name="clock" label="Rate" options=clocks selected=form.clock/>
        {beside("clock")}
        <TextField
            name="due_date"
            label="Due date (optional)"
            value=form.due_date
            hint="Year-month-day, within 30 days"
            error=wrong("due_date")
        />
        <TextField
            name="note"
            label="Note (optional)"
            value=form.note
            hint="Below the lines, for the customer"
            error=wrong("note")
            prose=true
        />
        <TextField
            name="url_success"
            label="Page after payment (optional)"
            value=form.url_success
            kind="url"
            error=wrong("url_success")
        />
        <TextField
            name="url_failed"
            label="Page when nothing was paid (optional)"
            value=form.url_failed
            kind="url"
            error=wrong("url_failed")
        />
    }
    .into_any()
}
