//! What stands where a list would be.

use leptos::prelude::*;

/// One sentence of benefit and at most one action below it.
#[component]
pub fn EmptyState(
    #[prop(into)] text: String,
    #[prop(optional)] children: Option<Children>,
) -> impl IntoView {
    view! {
        <div class="empty">
            <p>{text}</p>
            {children.map(|children| children())}
        </div>
    }
}
