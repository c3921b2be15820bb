use domain::view::dashboard::Frame;
use domain::view::invoices::InvoiceDetailView;
use leptos::prelude::*;

use super::{PATH, summary};
use crate::islands::CopyButton;
use crate::pages::charge::{receipts, timeline};
use crate::pages::frame::{DashboardPage, Section};
use crate::ui::{Amount, Status, TextField, Timestamp};

/// One invoice: where it stands, its link, its lines, what came, what happened.
#[component]
pub fn InvoicePage(frame: Frame, view: InvoiceDetailView) -> impl IntoView {
    let frame = Frame {
        notice: frame.notice.or_else(|| view.notice.clone()),
        ..frame
    };
    let title = format!("Invoice {}", view.item.number);
    let due = view
        .item
        .due_date
        .clone()
        .map(|day| format!(" Due on {day}."));
    let status = view.item.status.clone();
    let attention = view
        .attention_text
        .clone()
        .map(|text| view! { <div class="banner warn"><p>{text}</p></div> });
    let link = link(&view);
    let actions = actions(&view);
    let figures = figures(&view);
    let code = view.item.amount.code.clone();
    let lines = view.details.clone().map(|details| {
        let note =
            (!details.note.is_empty()).then(|| view! { <p dir="auto">{details.note.clone()}</p> });
        view! {
            <section>
                <h2>"Lines"</h2>
                {summary::lines(details, code)}
                {note}
            </section>
        }
    });
    let payments = receipts(view.payments);
    let activity = timeline(view.activity);
    let charge = format!("/app/charges/{}", view.charge_id);
    view! {
        <DashboardPage frame=frame title=title section=Section::Invoices live=true>
            <p class="under-title"><Status of=status/> {due}</p>
            {attention}
            {link}
            {actions}
            {figures}
            {lines}
            {payments}
            {activity}
            <p><a href=charge>"The charge behind it, with its books and webhooks"</a></p>
        </DashboardPage>
    }
}

fn link(view: &InvoiceDetailView) -> AnyView {
    let (href, copied, shown) = (view.url.clone(), view.url.clone(), view.url.clone());
    let terms = view.terms.clone();
    let document = view.has_document.then(|| {
        let href = format!("{PATH}/{}/document", view.item.code);
        view! { <a class="btn-2" href=href>"PDF"</a> }
    });
    view! {
        <section>
            <h2>"The customer's page"</h2>
            <p class="row">
                <a class="url" href=href data-copy=shown>{view.url.clone()}</a>
                <CopyButton
                    value=copied
                    what="Link".to_owned()
                    label="the link of the invoice".to_owned()
                />
                {document}
            </p>
            <p>{terms}</p>
        </section>
    }
    .into_any()
}

fn actions(view: &InvoiceDetailView) -> Option<AnyView> {
    if !(view.can_send || view.can_void) {
        return None;
    }
    let send = view.can_send.then(|| send(view));
    let void = view.can_void.then(|| void(view));
    Some(
        view! {
            <section class="actions">
                <h2 class="vh">"Actions"</h2>
                {send}
                {void}
            </section>
        }
        .into_any(),
    )
}

fn send(view: &InvoiceDetailView) -> AnyView {
    let action = format!("{PATH}/{}/send", view.item.code);
    // What was typed wrong is shown where it can be put right.
    let wrong = view
        .notice
        .as_ref()
        .filter(|notice| notice.field.as_deref() == Some("email"))
        .map(|notice| notice.text.clone());
    let open = wrong.is_some();
    let to = view.send_to.clone();
    view! {
        <details class="confirm" open=open>
            <summary class="btn-2">"Send by e-mail"</summary>
            <form method="post" action=action novalidate>
                <TextField
                    name="email"
                    label="E-mail"
                    value=to
                    kind="email"
                    hint="This link also opens the receipt and takes a refund address."
                    error=wrong
                />
                <button class="btn">"Send the link"</button>
            </form>
        </details>
    }
    .into_any()
}

fn void(view: &InvoiceDetailView) -> AnyView {
    let action = format!("{PATH}/{}/void", view.item.code);
    view! {
        <details class="confirm">
            <summary class="btn-2">"Void"</summary>
            <form method="post" action=action>
                <p>
                    "The customer can no longer pay this invoice; its page says so. Money that comes \
                    anyway waits in the inbox."
                </p>
                <button class="btn-danger">"Yes, void the invoice"</button>
            </form>
        </details>
    }
    .into_any()
}

fn figures(view: &InvoiceDetailView) -> AnyView {
    let fact = |name: &'static str, value: String| {
        (!value.is_empty()).then(|| view! { <div><dt>{name}</dt><dd><bdi>{value}</bdi></dd></div> })
    };
    let details = view.details.clone().unwrap_or_default();
    let customer = match view.item.customer.clone() {
        name if name.is_empty() => details.customer_name,
        name => name,
    };
    let received = view.item.received.clone().map(|amount| {
        view! { <div><dt>"Received"</dt><dd><Amount of=amount/></dd></div> }
    });
    let paid = view.paid_at.map(|at| {
        view! { <div><dt>"Paid"</dt><dd><Timestamp at=at/></dd></div> }
    });
    let difference = view
        .difference_text
        .clone()
        .map(|text| view! { <p class="difference">{text}</p> });
    view! {
        <section>
            <h2>"Details"</h2>
            <dl class="facts">
                {fact("Title", view.title.clone())}
                {fact("Description", view.description.clone())}
                {fact("Customer", customer)}
                {fact("E-mail", view.send_to.clone())}
                {fact("Address", details.customer_address)}
                <div><dt>"Created"</dt><dd><Timestamp at=view.item.created_at/></dd></div>
                <div><dt>"Amount"</dt><dd><Amount of=view.item.amount.clone()/></dd></div>
                {received}
                {paid}
            </dl>
            {difference}
        </section>
    }
    .into_any()
}
