//! One charge, `/app/charges/{EX-…}`: what was ordered, what came, what happened (ux §1.6).

mod actions;
mod deliveries;
mod history;
mod money;

pub(in crate::pages) use self::deliveries::{deliveries, delivery};
pub(in crate::pages) use self::history::{journal, timeline};
pub(in crate::pages) use self::money::receipts;

use domain::view::dashboard::{ChargeDetailView, Frame};
use leptos::prelude::*;

use super::frame::{DashboardPage, Section};
use crate::islands::CopyButton;
use crate::ui::Status;

/// Status and actions first, then the money, the order, and everything that happened.
#[component]
pub fn ChargePage(frame: Frame, view: ChargeDetailView) -> impl IntoView {
    let title = format!("Charge {}", view.public_id);
    let attention = view
        .attention_text
        .clone()
        .map(|text| view! { <div class="banner warn"><p>{text}</p></div> });
    let resolution = resolution(&view);
    let status = view.status.clone();
    let actions = actions::row(&view);
    let money = money::ordered_and_received(&view);
    let details = details(&view);
    let receipts = money::receipts(view.receipts.clone());
    let quotes = money::quotes(view.quotes.clone());
    let timeline = history::timeline(view.timeline.clone());
    let journal = self::journal(view.journal.clone());
    let deliveries = deliveries(view.deliveries.clone());
    view! {
        <DashboardPage frame=frame title=title section=Section::Charges live=true>
            <p class="under-title"><Status of=status/> {resolution}</p>
            {attention}
            {actions}
            {money}
            {details}
            {receipts}
            {timeline}
            {quotes}
            {journal}
            {deliveries}
        </DashboardPage>
    }
}

fn resolution(view: &ChargeDetailView) -> Option<AnyView> {
    if view.resolution == "none" || view.resolution.is_empty() {
        return None;
    }
    let by = view
        .resolved_by
        .clone()
        .map(|who| view! { " by " <bdi>{who}</bdi> });
    let word = view.resolution.clone();
    Some(view! { <span class="quiet">" Resolved: " {word} {by}</span> }.into_any())
}

/// Customer, items, metadata and links.
fn details(view: &ChargeDetailView) -> AnyView {
    let customer = view
        .customer
        .iter()
        .cloned()
        .map(|(name, value)| view! { <div><dt>{name}</dt><dd><bdi>{value}</bdi></dd></div> })
        .collect_view();
    let metadata = view.metadata_json.clone().map(|json| {
        view! {
            <details class="more">
                <summary>"Metadata"</summary>
                <pre tabindex="0">{json}</pre>
            </details>
        }
    });
    let pdf = view
        .receipt_pdf
        .clone()
        .map(|href| view! { <a class="btn-2" href=href>"Receipt (PDF)"</a> });
    let checkout = view.checkout_url.clone();
    let copied = view.checkout_url.clone();
    view! {
        <section>
            <h2>"Customer and links"</h2>
            <dl class="facts">{customer}</dl>
            <p class="row">
                <a class="btn-2" href=checkout>"Open the checkout"</a>
                <CopyButton
                    value=copied
                    what="Checkout link".to_owned()
                    label="checkout link".to_owned()
                />
                {pdf}
            </p>
            {metadata}
        </section>
    }
    .into_any()
}
