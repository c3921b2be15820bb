//! Asking for money back.

use domain::view::checkout::CheckoutView;
use leptos::prelude::*;

use crate::ui::{Address, TextField};

/// Form field of the address; also the id that an error summary links to.
const FIELD: &str = "refund_address";

/// A form for the address to send money back to, or what was asked before. Nothing where there is
/// nothing to claim.
pub(super) fn refund(view: &CheckoutView) -> Option<AnyView> {
    if !view.refund_possible {
        return None;
    }
    let form = form(view);
    Some(match view.refund_address.clone() {
        None => {
            view! { <section class="claim"><h2>"Get money back"</h2>{form}</section> }.into_any()
        }
        Some(address) => view! {
            <section class="claim">
                <h2>"Refund requested"</h2>
                <p>
                    "The shop has been asked to send it to "
                    <Address value=address/>
                </p>
                <details class="more">
                    <summary>"Use another address"</summary>
                    {form}
                </details>
            </section>
        }
        .into_any(),
    })
}

fn form(view: &CheckoutView) -> AnyView {
    let action = view.page_url.clone();
    let error = view
        .notice
        .as_ref()
        .filter(|notice| notice.is_error && notice.field.as_deref() == Some(FIELD))
        .map(|notice| notice.text.clone());
    view! {
        <form method="post" action=action novalidate>
            <TextField
                name=FIELD
                label="Your address for the refund"
                value=""
                hint="An address of the same coin that you control."
                error=error
                mono=true
            />
            <button class="btn-2">"Request refund"</button>
        </form>
    }
    .into_any()
}
