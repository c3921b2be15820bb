//! Paid: the seal, the figures, the way back.

use domain::view::checkout::CheckoutView;
use leptos::prelude::*;

use super::progress::receipts;
use super::refund::refund;
use super::{Leaving, Live};
use crate::ui::{Amount, Seal, Timestamp};

pub(super) fn panel(view: &CheckoutView, live: Live) -> AnyView {
    let received = view.received.clone().map(|received| {
        view! {
            <div>
                <dt>"You sent"</dt>
                <dd><Amount of=received/></dd>
            </div>
        }
    });
    let excess = view.excess.clone().map(|excess| {
        view! {
            <div>
                <dt>"Too much"</dt>
                <dd><Amount of=excess/></dd>
            </div>
        }
    });
    let paid_at = view
        .paid_at
        .and_then(|at| time::OffsetDateTime::from_unix_timestamp(at).ok())
        .map(|at| {
            view! {
                <div>
                    <dt>"Paid"</dt>
                    <dd><Timestamp at=at/></dd>
                </div>
            }
        });
    let total = view.total.clone();
    view! {
        <div class="panel">
            <p class="sealed"><Seal/></p>
            <dl class="facts">
                {received}
                <div>
                    <dt>"Order total"</dt>
                    <dd><Amount of=total/></dd>
                </div>
                {excess}
                {paid_at}
            </dl>
            {refund(view)}
            {way_back(view, live)}
            {receipt_link(view)}
            {receipts(view, live)}
        </div>
    }
    .into_any()
}

/// The link to the PDF.
pub(super) fn receipt_link(view: &CheckoutView) -> Option<AnyView> {
    let href = view.receipt_url.clone()?;
    Some(view! { <a class="btn-2" href=href>"Receipt (PDF)"</a> }.into_any())
}

/// The link to the shop, always there; with the clock of the page running it is followed after a
/// while, unless the customer stays.
pub(super) fn way_back(view: &CheckoutView, live: Live) -> Option<AnyView> {
    let href = view.return_url.clone()?;
    let text = format!("Return to {}", view.brand.name);
    let leaving = move || match live.leaving.get() {
        Leaving::In(seconds) => Some(view! {
            <p class="leaving">
                {format!("Returning in {seconds} s. ")}
                <button
                    type="button"
                    class="btn-copy"
                    on:click=move |_| live.leaving.set(Leaving::Stayed)
                >
                    "Stay here"
                </button>
            </p>
        }),
        Leaving::NotYet | Leaving::Stayed => None,
    };
    Some(
        view! {
            <a class="btn" rel="noreferrer" dir="auto" href=href>{text}</a>
            {leaving}
        }
        .into_any(),
    )
}
