//! What has come to the terminal's address, while the page is open.

use domain::view::dashboard::StatusPill;
use domain::view::terminal::{TerminalPayment, TerminalState, TerminalStatus};
use leptos::prelude::*;

use crate::ui::{Amount, ShortHash, Status, Timestamp};

/// The sentence and the latest payments; follows the stream, asks while there is none.
#[island]
pub fn TerminalLive(
    status: TerminalStatus,
    status_url: String,
    events_url: String,
) -> impl IntoView {
    let current = RwSignal::new(status);
    start(current, status_url, events_url);
    view! {
        <p role="status" class="live">{move || current.get().sentence}</p>
        {move || payments(current.get().payments)}
    }
}

fn payments(rows: Vec<TerminalPayment>) -> Option<AnyView> {
    if rows.is_empty() {
        return None;
    }
    let rows = rows.into_iter().map(row).collect_view();
    Some(
        view! {
            <section>
                <h2>"Payments to this address"</h2>
                <ul class="items">{rows}</ul>
            </section>
        }
        .into_any(),
    )
}

fn row(payment: TerminalPayment) -> AnyView {
    let pill = StatusPill {
        word: payment.state.word().to_owned(),
        flags: Vec::new(),
    };
    let depth = (payment.state == TerminalState::Confirming).then(|| {
        format!(
            " {} of {}",
            payment.confirmations, payment.confirmations_required
        )
    });
    view! {
        <li>
            <span>
                <Amount of=payment.amount/> " " <Timestamp at=payment.at/> " "
                <ShortHash value=payment.txid/>
            </span>
            <span><Status of=pill/> {depth}</span>
        </li>
    }
    .into_any()
}

#[cfg(not(feature = "hydrate"))]
fn start(_current: RwSignal<TerminalStatus>, _status_url: String, _events_url: String) {}

#[cfg(feature = "hydrate")]
use browser::start;

#[cfg(feature = "hydrate")]
mod browser {
    use std::time::Duration;

    use domain::view::terminal::TerminalStatus;
    use leptos::prelude::*;
    use leptos::task::spawn_local;
    use wasm_bindgen::JsCast;
    use wasm_bindgen::prelude::Closure;
    use web_sys::{EventSource, MessageEvent};

    use crate::islands::fetch::fetch_text;

    /// Pause between two questions while the stream is down.
    const ASK_EVERY: Duration = Duration::from_secs(10);

    pub(super) fn start(current: RwSignal<TerminalStatus>, status_url: String, events_url: String) {
        let adopt = move |json: &str| {
            if let Ok(status) = serde_json::from_str::<TerminalStatus>(json)
                && current.get_untracked() != status
            {
                current.set(status);
            }
        };
        // A browser opens a stream that broke off again by itself; one that was refused it gives up.
        let stream = EventSource::new(&events_url).ok();
        if let Some(stream) = &stream {
            let told = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
                if let Some(json) = event.data().as_string() {
                    adopt(&json);
                }
            })
            .into_js_value();
            let _ = stream.add_event_listener_with_callback("snapshot", told.unchecked_ref());
        }
        let ask = move || {
            let open = stream
                .as_ref()
                .is_some_and(|stream| stream.ready_state() == EventSource::OPEN);
            if open || document().hidden() {
                return;
            }
            let url = status_url.clone();
            spawn_local(async move {
                if let Some(json) = fetch_text(&url).await {
                    adopt(&json);
                }
            });
        };
        set_interval(ask, ASK_EVERY);
    }
}
