//! A payment on its way to being final.

use domain::view::checkout::{CheckoutView, ReceiptLine};
use leptos::prelude::*;

use super::words::{confirmations, is_live};
use super::{Live, paid};
use crate::islands::CopyButton;
use crate::ui::{Amount, Notches, ShortHash, Tally};

/// Seen or confirming: the code is gone, nobody is asked to pay again.
pub(super) fn panel(view: &CheckoutView, live: Live) -> AnyView {
    let (done, required) = confirmations(view);
    view! {
        <div class="panel">
            <p class="confirming"><Notches done=done required=required/></p>
            <p>{wait(view)} " You can close this page."</p>
            {receipts(view, live)}
            {paid::way_back(view, live)}
        </div>
    }
    .into_any()
}

fn wait(view: &CheckoutView) -> &'static str {
    match view.payment.as_ref().map(|payment| payment.coin.as_str()) {
        Some("BTC" | "BCH" | "tBTC") => "This usually takes 10 to 30 minutes.",
        _ => "This usually takes a few minutes.",
    }
}

/// Every payment that came, with its id, amount and how far it is.
pub(super) fn receipts(view: &CheckoutView, live: Live) -> AnyView {
    let lines = view
        .receipts
        .iter()
        .map(|receipt| line(receipt.clone(), live))
        .collect_view();
    view! { <ul class="receipts" aria-label="Payments received">{lines}</ul> }.into_any()
}

fn line(receipt: ReceiptLine, live: Live) -> AnyView {
    let ReceiptLine {
        txid,
        amount,
        confirmations,
        confirmations_required,
        state,
        at,
    } = receipt;
    let label = format!(
        "transaction id {}",
        txid.chars().take(8).collect::<String>()
    );
    let copied = txid.clone();
    let how_far = if is_live(&state) {
        view! { <Tally done=confirmations required=confirmations_required/> }.into_any()
    } else {
        view! { <span class="reason">{state}</span> }.into_any()
    };
    view! {
        <li>
            <span class="receipt-head"><Amount of=amount/> {how_far}</span>
            <span class="receipt-foot">
                <ShortHash value=txid/>
                <CopyButton value=copied what="Transaction id".to_owned() label=label/>
                <span>{move || live.minute(at)}</span>
            </span>
        </li>
    }
    .into_any()
}
