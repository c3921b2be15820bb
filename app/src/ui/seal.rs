//! The wax seal that says `paid`, once a page.

use leptos::prelude::*;

/// Decoration: the word stands beside it.
#[component]
pub fn Seal() -> impl IntoView {
    view! {
        <svg class="seal" viewBox="0 0 64 64" aria-hidden="true">
            <path
                class="wax"
                d="M32 2l6 5 8-2 4 7 8 2 0 8 5 6-4 6 2 8-7 4-2 8-8 0-6 6-6-4-8 3-5-7-8-2 0-8-6-6 4-6-2-8 7-4 2-8 8 0z"
            ></path>
            <circle class="rim" cx="32" cy="33" r="20"></circle>
            <path class="tick" d="M22 34l7 7 14-16"></path>
        </svg>
    }
}
