//! What to send, where, until when.

use domain::view::AmountText;
use domain::view::checkout::{CheckoutState, CheckoutView, PaymentInstruction};
use leptos::prelude::*;

use super::cancel::cancel;
use super::progress::receipts;
use super::{Live, method};
use crate::islands::CopyButton;
use crate::ui::{Address, Figure, Qr};

/// Amount, code, link, address, in the order of the keyboard (ux §1.18).
pub(super) fn panel(view: &CheckoutView, live: Live) -> AnyView {
    let Some(payment) = view.payment.clone() else {
        return method::choose(view);
    };
    let partly = view.state == CheckoutState::PartlyPaid;
    let amount = AmountText {
        amount: payment.amount.clone(),
        code: payment.coin.clone(),
    };
    let coin = payment.coin.clone();
    let (asked, advice) = if partly {
        (
            "Still to pay",
            "Some exchanges take their fee out of the amount. Send the rest to the same address.",
        )
    } else {
        (
            "Send exactly",
            "Send the exact amount. Your wallet adds its own fee.",
        )
    };
    view! {
        <div class="panel">
            <div class="due">
                <span class="due-label">{asked}</span>
                <strong class="due-amount" data-copy=payment.amount.clone()>
                    <Figure value=payment.amount.clone()/>
                    " "
                    <span class="unit">{coin}</span>
                </strong>
                <CopyButton
                    value=payment.amount.clone()
                    what="Amount".to_owned()
                    label=format!("amount {amount}")
                />
            </div>
            {code(&payment, view.test_mode)}
            {payment.uri.clone().map(|href| view! { <a class="btn" href=href>"Open in wallet"</a> })}
            <p class="advice">{advice}</p>
            {facts(payment, live)}
            {partly.then(|| receipts(view, live))}
            {method::change(view)}
            {cancel(view)}
        </div>
    }
    .into_any()
}

/// The QR code, which is a link as well; everything in it stands on the page as text.
fn code(payment: &PaymentInstruction, test_mode: bool) -> AnyView {
    let label = format!(
        "{}QR code: pay {} {} to {}",
        if test_mode { "TEST. " } else { "" },
        payment.amount,
        payment.coin,
        shortened(&payment.address)
    );
    let stamp = test_mode.then(|| view! { <span class="stamp" aria-hidden="true">"TEST"</span> });
    let text = payment.qr_text.clone();
    match payment.uri.clone() {
        Some(href) => view! {
            <a class="qr-card" href=href>
                <Qr text=text label=label/>
                {stamp}
            </a>
        }
        .into_any(),
        None => view! {
            <div class="qr-card">
                <Qr text=text label=label/>
                {stamp}
            </div>
        }
        .into_any(),
    }
}

fn facts(payment: PaymentInstruction, live: Live) -> AnyView {
    let PaymentInstruction {
        coin_name,
        network,
        address,
        tag,
        rate_text,
        release_at,
        ..
    } = payment;
    let coin = if network == coin_name {
        coin_name
    } else {
        format!("{coin_name} on {network}")
    };
    let tag = tag.map(|tag| {
        let label = format!("tag {tag}");
        view! {
            <div>
                <dt>"Tag " <em>"required"</em></dt>
                <dd>
                    <bdi dir="ltr" class="addr" data-copy=tag.clone()>{tag.clone()}</bdi>
                    <CopyButton value=tag.clone() what="Tag".to_owned() label=label/>
                </dd>
            </div>
        }
    });
    let label = format!("address {}", shortened(&address));
    let address_copied = address.clone();
    view! {
        <dl class="facts">
            <div>
                <dt>{coin} " address"</dt>
                <dd>
                    <Address value=address/>
                    <CopyButton value=address_copied what="Address".to_owned() label=label/>
                </dd>
            </div>
            {tag}
            <div>
                <dt>"Rate"</dt>
                <dd>{rate_text} ", fixed until " {move || live.minute(release_at)}</dd>
            </div>
        </dl>
    }
    .into_any()
}

/// Enough of an address to recognise it by ear.
fn shortened(address: &str) -> String {
    let letters: Vec<char> = address.chars().collect();
    if letters.len() <= 16 {
        return address.to_owned();
    }
    let head: String = letters.iter().take(8).collect();
    let tail: String = letters.iter().skip(letters.len() - 4).collect();
    format!("{head}…{tail}")
}
