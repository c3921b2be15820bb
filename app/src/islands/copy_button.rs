//! A button that copies the exact text the server gave (ux §4.6).

use leptos::prelude::*;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Idle,
    #[cfg_attr(
        not(feature = "hydrate"),
        expect(dead_code, reason = "only a browser copies")
    )]
    Copied,
    /// The browser refused: the text is selected instead.
    #[cfg_attr(
        not(feature = "hydrate"),
        expect(dead_code, reason = "only a browser copies")
    )]
    ByHand,
}

/// Copies `value` as it is: no grouping, no unit.
///
/// When the browser does not allow it, the element that carries the value in `data-copy` is
/// selected and the reader is told what to press. CSS hides the button where scripts are off.
#[island]
pub fn CopyButton(
    value: String,
    /// What it is, capitalised: `Amount` is announced as `Amount copied`.
    what: String,
    /// Accessible name after `Copy`, with the value: `amount 0.00123456 BTC`.
    label: String,
) -> impl IntoView {
    let outcome = RwSignal::new(Outcome::Idle);
    let said = move || match outcome.get() {
        Outcome::Idle => String::new(),
        Outcome::Copied => format!("{what} copied"),
        Outcome::ByHand => "Press Ctrl+C".to_owned(),
    };
    let label = format!(" {label}");
    view! {
        <span class="copy">
            <button type="button" class="btn-copy" on:click=move |_| copy(value.clone(), outcome)>
                "Copy"
                <span class="vh">{label}</span>
            </button>
            <span class="copied" aria-live="polite">{said}</span>
        </span>
    }
}

#[cfg(not(feature = "hydrate"))]
fn copy(_value: String, _outcome: RwSignal<Outcome>) {}

#[cfg(feature = "hydrate")]
fn copy(value: String, outcome: RwSignal<Outcome>) {
    use std::time::Duration;

    /// How long the answer stays beside the button; the only timed message there is.
    const SHOWN_FOR: Duration = Duration::from_secs(4);

    leptos::task::spawn_local(async move {
        let done = match browser::write_clipboard(&value).await {
            Some(()) => Outcome::Copied,
            None => {
                browser::select(&value);
                Outcome::ByHand
            }
        };
        // The page may have moved on to another state and dropped the button.
        let _ = outcome.try_set(done);
        let forget = move || {
            let _ = outcome.try_set(Outcome::Idle);
        };
        set_timeout(forget, SHOWN_FOR);
    });
}

#[cfg(feature = "hydrate")]
mod browser {
    use leptos::prelude::{document, window};
    use wasm_bindgen::JsValue;

    /// `None` when there is no clipboard, as on pages that are not served securely, or no
    /// permission to use it.
    pub(super) async fn write_clipboard(text: &str) -> Option<()> {
        let navigator = window().navigator();
        let clipboard = js_sys::Reflect::get(&navigator, &JsValue::from_str("clipboard"));
        if clipboard.ok()?.is_undefined() {
            return None;
        }
        navigator
            .clipboard()
            .write_text(text)
            .await
            .ok()
            .map(|_| ())
    }

    pub(super) fn select(text: &str) {
        if text.contains(['"', '\\']) {
            return;
        }
        let shown = document().query_selector(&format!("[data-copy=\"{text}\"]"));
        if let (Ok(Some(element)), Ok(Some(selection))) = (shown, window().get_selection()) {
            // Selecting is a courtesy: a browser that refuses leaves the reader with the text.
            let _ = selection.select_all_children(&element);
        }
    }
}
