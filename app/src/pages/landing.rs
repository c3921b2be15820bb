//! The public front page, `/`.

use leptos::prelude::*;

use super::public::PublicPage;

/// What this is and where to sign in.
#[component]
pub fn LandingPage(test_mode: bool) -> impl IntoView {
    let demo = test_mode.then(|| {
        view! {
            <p class="quiet">
                "This instance runs in test mode: the sign-in page offers demo log-ins, and a \
                faucet pays with simulated coins."
            </p>
        }
    });
    view! {
        <PublicPage title="Exchequer – take payments, keep the books" test_mode=test_mode>
            <div class="hero">
                <h1>"Take payments. Keep the books."</h1>
                <p class="lead">
                    "Exchequer is a payment gateway you run yourself. Customers pay with a coin or \
                    from a bank, you are credited in your own currency, and every amount stands in \
                    one double-entry ledger."
                </p>
                <p><a class="btn" href="/sign-in">"Sign in"</a></p>
                <p class="quiet">
                    <a href="/coins">"Supported coins"</a> " · " <a href="/fees">"Fees and minimums"</a>
                </p>
                {demo}
            </div>
            <ul class="points">
                <li>
                    <h2>"One charge, every way to pay"</h2>
                    <p>"Orders and invoices share one checkout that works without scripts."</p>
                </li>
                <li>
                    <h2>"Nothing is lost"</h2>
                    <p>"Late, short or excess money waits in an inbox until someone decides."</p>
                </li>
                <li>
                    <h2>"Exact to the last unit"</h2>
                    <p>"Amounts are never rounded in silence, and each statement adds up."</p>
                </li>
            </ul>
        </PublicPage>
    }
}
