//! The living part of the hosted checkout (ux §1.18).
//!
//! The server decides the state and sends the whole view each time; this island only renders it.
//! Everything to press is a link or a form that posts to the page, so nothing here is needed to
//! pay.

mod cancel;
mod clock;
mod ended;
mod method;
mod paid;
mod pay;
mod progress;
mod refund;
#[cfg(test)]
pub(crate) mod sample;
#[cfg(feature = "hydrate")]
mod watch;
mod words;

use domain::view::checkout::{CheckoutState, CheckoutView};
use leptos::prelude::*;

use crate::ui::{Amount, minute_text};
use clock::Clock;
pub use words::document_title as checkout_title;

/// How the page gets its news.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(
    not(feature = "hydrate"),
    expect(dead_code, reason = "only a browser is fed")
)]
enum Feed {
    /// Not at all: as the server sent it.
    Still,
    Live,
    Reconnecting,
    /// By asking, last at this instant of the instance clock, unix seconds.
    Asked(i64),
}

/// The way back to the shop after the payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(
    not(feature = "hydrate"),
    expect(dead_code, reason = "only a browser leaves")
)]
enum Leaving {
    NotYet,
    /// Seconds until the page follows the link.
    In(u32),
    /// The customer pressed `Stay here`.
    Stayed,
}

/// Everything that changes while the page is open.
#[derive(Clone, Copy)]
struct Live {
    view: RwSignal<CheckoutView>,
    /// Instance clock, unix seconds.
    now: RwSignal<i64>,
    /// The clock above moves: a countdown may be shown.
    ticking: RwSignal<bool>,
    feed: RwSignal<Feed>,
    /// Minutes the reader's clock is ahead of UTC.
    zone: RwSignal<Option<i32>>,
    leaving: RwSignal<Leaving>,
}

impl Live {
    fn new(view: CheckoutView) -> Self {
        Self {
            now: RwSignal::new(view.now),
            view: RwSignal::new(view),
            ticking: RwSignal::new(false),
            feed: RwSignal::new(Feed::Still),
            zone: RwSignal::new(None),
            leaving: RwSignal::new(Leaving::NotYet),
        }
    }

    /// Time of day of an instant, in the reader's zone once it is known.
    fn minute(self, unix: i64) -> String {
        minute_text(unix, self.zone.get())
    }
}

/// Heading, amount, status and the panel of the current state.
#[island]
pub fn CheckoutLive(checkout: CheckoutView) -> impl IntoView {
    let total = checkout.total.clone();
    let page_url = checkout.page_url.clone();
    let live = Live::new(checkout);
    // An effect runs after hydration: before it, nothing may differ from what the server sent.
    #[cfg(feature = "hydrate")]
    Effect::new(move |_| watch::start(live));
    view! {
        <div class="checkout">
            <h1 dir="auto">{move || live.view.with(words::heading)}</h1>
            <p class="total">
                <span>"Total"</span>
                <Amount of=total/>
            </p>
            <div class="state">
                <p role="status">
                    {move || live.view.with(|view| words::sentence(view, live.now.get()))}
                </p>
                <Clock live=live/>
            </div>
            {move || panel(&live.view.get(), live)}
            <p class="feed">
                <span>{move || feed_text(live)}</span>
                <a href=page_url>"Check status"</a>
            </p>
        </div>
    }
}

fn panel(view: &CheckoutView, live: Live) -> AnyView {
    match view.state {
        CheckoutState::ChooseMethod => method::choose(view),
        CheckoutState::Awaiting | CheckoutState::PartlyPaid => pay::panel(view, live),
        CheckoutState::Seen | CheckoutState::Confirming => progress::panel(view, live),
        CheckoutState::Paid => paid::panel(view, live),
        CheckoutState::ExpiredUnpaid => ended::expired(view),
        CheckoutState::ExpiredUnderpaid => ended::underpaid(view, live),
        CheckoutState::LateFunds => ended::late(view, live),
        CheckoutState::Cancelled => ended::cancelled(view),
        CheckoutState::Failed => ended::failed(view, live),
        CheckoutState::Refunded => ended::refunded(view, live),
    }
}

fn feed_text(live: Live) -> String {
    match live.feed.get() {
        Feed::Still => String::new(),
        Feed::Live => "Live".to_owned(),
        Feed::Reconnecting => "Reconnecting…".to_owned(),
        Feed::Asked(at) => format!("Updated {}", live.minute(at)),
    }
}
