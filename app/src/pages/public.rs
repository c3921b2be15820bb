//! The frame around public pages that are not a payment: landing, sign-in, errors.

use leptos::prelude::*;

use crate::shell::{Shell, Stylesheet};

/// A narrow page under the house mark.
#[component]
pub fn PublicPage(
    /// Text of `<title>`.
    #[prop(into)]
    title: String,
    test_mode: bool,
    children: Children,
) -> impl IntoView {
    let test_bar = test_mode.then(|| {
        view! { <p class="test-bar"><strong>"Test mode."</strong> " Nothing here has value."</p> }
    });
    view! {
        <Shell title=title stylesheet=Stylesheet::App test_mode=test_mode live=false>
            <a class="skip" href="#main">"Skip to content"</a>
            <header class="top">
                {test_bar}
                <div class="top-row"><a class="mark" href="/">"Exchequer"</a></div>
            </header>
            <main id="main" class="narrow" tabindex="-1">{children()}</main>
            <footer class="foot">"Exchequer"</footer>
        </Shell>
    }
}
