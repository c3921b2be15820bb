//! States in which time ran out or something went wrong. Each says where the money is and gives one
//! next step.

use domain::view::checkout::CheckoutView;
use leptos::prelude::*;

use super::Live;
use super::paid::{receipt_link, way_back};
use super::progress::receipts;
use super::refund::refund;
use crate::ui::Amount;

pub(super) fn expired(view: &CheckoutView) -> AnyView {
    view! {
        <div class="panel">
            <p>
                "A new rate costs nothing. If you did send something, keep its transaction id: we \
                still watch the address and it will show here."
            </p>
            {requote(view, "Get a new rate")}
            {back_unpaid(view)}
            {contact(view)}
        </div>
    }
    .into_any()
}

pub(super) fn underpaid(view: &CheckoutView, live: Live) -> AnyView {
    let received = view.received.clone().map(|received| {
        view! {
            <div>
                <dt>"Received"</dt>
                <dd><Amount of=received/></dd>
            </div>
        }
    });
    let missing = view.missing.clone().map(|missing| {
        view! {
            <div>
                <dt>"Missing at the old rate"</dt>
                <dd><Amount of=missing/></dd>
            </div>
        }
    });
    view! {
        <div class="panel">
            <dl class="facts">{received} {missing}</dl>
            <p>"What you sent counts. Pay the rest to the same address, or ask for it back."</p>
            {requote(view, "Pay the rest at a new rate")}
            {refund(view)}
            {receipts(view, live)}
            {contact(view)}
        </div>
    }
    .into_any()
}

/// Money that suffices is never asked for again; what does not can be completed.
pub(super) fn late(view: &CheckoutView, live: Live) -> AnyView {
    let name = view.brand.name.clone();
    let advice = if view.can_requote {
        view! {
            <p>
                "What you sent counts at the rate of now, and is worth less than the total. Pay the \
                rest to the same address, or ask for it back."
            </p>
        }
        .into_any()
    } else {
        view! {
            <p>
                <bdi>{name}</bdi>
                " will accept it or send it back. Your money is safe; please do not pay again."
            </p>
        }
        .into_any()
    };
    view! {
        <div class="panel">
            {advice}
            {requote(view, "Pay the rest at a new rate")}
            {receipts(view, live)}
            {refund(view)}
            {contact(view)}
        </div>
    }
    .into_any()
}

pub(super) fn cancelled(view: &CheckoutView) -> AnyView {
    view! {
        <div class="panel">
            <p>"Please do not send anything for this order."</p>
            {back_unpaid(view)}
            {contact(view)}
        </div>
    }
    .into_any()
}

pub(super) fn failed(view: &CheckoutView, live: Live) -> AnyView {
    view! {
        <div class="panel">
            <p>
                "The network did not confirm it, so nothing reached the shop. Check your wallet \
                before you pay again."
            </p>
            {receipts(view, live)}
            {requote(view, "Get a new rate")}
            {refund(view)}
            {contact(view)}
        </div>
    }
    .into_any()
}

pub(super) fn refunded(view: &CheckoutView, live: Live) -> AnyView {
    view! {
        <div class="panel">
            {refund(view)}
            {receipts(view, live)}
            {receipt_link(view)}
            {way_back(view, live)}
            {contact(view)}
        </div>
    }
    .into_any()
}

fn requote(view: &CheckoutView, button: &'static str) -> Option<AnyView> {
    let action = view.page_url.clone();
    view.can_requote.then(|| {
        view! {
            <form method="post" action=action>
                <button class="btn" name="requote" value="1">{button}</button>
            </form>
        }
        .into_any()
    })
}

/// Back to the shop without having paid, where the merchant has named an address for it.
fn back_unpaid(view: &CheckoutView) -> Option<AnyView> {
    let href = view.failed_url.clone()?;
    let text = format!("Back to {}", view.brand.name);
    Some(view! { <a class="btn-2" dir="auto" rel="noreferrer" href=href>{text}</a> }.into_any())
}

/// A mail to the shop with the order's number in the subject.
pub(super) fn contact(view: &CheckoutView) -> Option<AnyView> {
    let address = view.brand.support_email.as_ref()?;
    let href = format!("mailto:{address}?subject=Order%20{}", view.public_id);
    let text = format!("Contact {}", view.brand.name);
    Some(view! { <a class="btn-2" dir="auto" href=href>{text}</a> }.into_any())
}
