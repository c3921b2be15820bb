//! How long an offer still stands (ux §1.8): silent while it runs, one sentence when it is over.

use leptos::prelude::*;

use crate::ui::countdown_text;

/// Counts down beside the absolute time that stands on the page already; without its code there is
/// nothing to see.
///
/// Both instants are the instance's, in Unix seconds, so a browser whose clock is wrong, or an
/// instance whose clock was moved, still counts right.
#[island]
pub fn Countdown(
    now: i64,
    ends_at: i64,
    /// The sentence at the end.
    over: String,
) -> impl IntoView {
    let left = RwSignal::new(None::<i64>);
    start(left, ends_at - now);
    let running = move || left.get().filter(|left| *left > 0).map(countdown_text);
    let ended = move || match left.get() {
        Some(left) if left <= 0 => over.clone(),
        _ => String::new(),
    };
    view! {
        <span role="timer" class="clock">{running}</span>
        <span role="status">{ended}</span>
    }
}

#[cfg(not(feature = "hydrate"))]
fn start(_left: RwSignal<Option<i64>>, _seconds: i64) {}

#[cfg(feature = "hydrate")]
fn start(left: RwSignal<Option<i64>>, seconds: i64) {
    use std::time::Duration;

    // The browser's clock only measures how long the page has been open: a sleeping tab catches up.
    let opened = browser_seconds();
    let tick = move || {
        let _ = left.try_set(Some((seconds - (browser_seconds() - opened)).max(0)));
    };
    Effect::new(move |_| tick());
    set_interval(tick, Duration::from_secs(1));
}

/// Whole seconds since 1970.
#[cfg(feature = "hydrate")]
fn browser_seconds() -> i64 {
    // A date's milliseconds are whole and far below 2^53.
    #[allow(clippy::cast_possible_truncation)]
    let milliseconds = js_sys::Date::now() as i64;
    milliseconds.div_euclid(1_000)
}
