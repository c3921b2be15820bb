//! Calling it off before anything was paid.

use domain::view::checkout::CheckoutView;
use leptos::prelude::*;

/// Asks once more before it is done, by opening: no script is needed for that.
pub(super) fn cancel(view: &CheckoutView) -> Option<AnyView> {
    let action = view.page_url.clone();
    let noun = if view.invoice.is_some() {
        "invoice"
    } else {
        "order"
    };
    view.can_cancel.then(|| {
        view! {
            <details class="more">
                <summary>{format!("Cancel this {noun}")}</summary>
                <p>
                    "It cannot be paid afterwards, and this cannot be undone. If you have sent \
                    something already, wait until it shows here."
                </p>
                <form method="post" action=action>
                    <button class="btn-2" name="cancel" value="1">
                        {format!("Yes, cancel this {noun}")}
                    </button>
                </form>
            </details>
        }
        .into_any()
    })
}
