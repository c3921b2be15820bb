//! What the merchant can do about a charge: a visible row of buttons, each with a second step that
//! says what will happen (ux §0, dialogs).

use domain::view::dashboard::ChargeDetailView;
use leptos::prelude::*;

use crate::ui::TextField;

/// The possible actions; nothing when there is none.
pub(super) fn row(view: &ChargeDetailView) -> Option<AnyView> {
    if !(view.can_accept || view.can_refund || view.can_cancel) {
        return None;
    }
    let accept = view.can_accept.then(|| accept(view));
    let refund = view.can_refund.then(|| refund(view));
    let cancel = view.can_cancel.then(|| cancel(view));
    Some(
        view! {
            <section class="actions">
                <h2 class="vh">"Actions"</h2>
                {accept}
                {refund}
                {cancel}
            </section>
        }
        .into_any(),
    )
}

fn path(view: &ChargeDetailView, verb: &str) -> String {
    format!("/app/charges/{}/{verb}", view.public_id)
}

fn accept(view: &ChargeDetailView) -> AnyView {
    let action = path(view, "accept");
    let difference = view
        .difference_text
        .clone()
        .map(|text| format!(" ({text})"));
    view! {
        <details class="confirm">
            <summary class="btn">"Accept as paid"</summary>
            <form method="post" action=action>
                <p>
                    "You are credited what came, less the fee, and the order counts as paid"
                    {difference}
                    ". This cannot be undone."
                </p>
                <button class="btn">"Yes, accept"</button>
            </form>
        </details>
    }
    .into_any()
}

fn refund(view: &ChargeDetailView) -> AnyView {
    let action = path(view, "refund");
    let address = view.refund_address.clone().unwrap_or_default();
    view! {
        <details class="confirm">
            <summary class="btn-2">"Refund"</summary>
            <form method="post" action=action novalidate>
                <TextField
                    name="address"
                    label="Send it back to"
                    value=address
                    hint="An address of the coin that was paid; the customer's when it is known."
                    mono=true
                />
                <p>"The claim is recorded for the operator, who sends the money; nothing is sent at once."</p>
                <button class="btn">"Yes, refund"</button>
            </form>
        </details>
    }
    .into_any()
}

fn cancel(view: &ChargeDetailView) -> AnyView {
    let action = path(view, "cancel");
    view! {
        <details class="confirm">
            <summary class="btn-2">"Cancel"</summary>
            <form method="post" action=action>
                <p>
                    "The customer can no longer pay this order. Money that comes anyway waits in \
                    the inbox."
                </p>
                <button class="btn-danger">"Yes, cancel the charge"</button>
            </form>
        </details>
    }
    .into_any()
}
