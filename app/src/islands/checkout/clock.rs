//! The time that is left.

use leptos::prelude::*;

use super::Live;
use crate::ui::countdown_text;

/// A countdown where the page's clock runs, the absolute time where it does not.
///
/// `role=timer` is silent; what has to be heard is in the status sentence.
#[component]
pub(super) fn Clock(live: Live) -> impl IntoView {
    let text = move || -> Option<String> {
        let ends_at = live.view.with(|view| view.clock_ends_at)?;
        Some(if live.ticking.get() {
            countdown_text(ends_at - live.now.get())
        } else {
            format!("until {}", live.minute(ends_at))
        })
    };
    view! {
        <span role="timer" class="clock">
            <span class="vh">{move || text().map(|_| "Time left: ")}</span>
            {text}
        </span>
    }
}
