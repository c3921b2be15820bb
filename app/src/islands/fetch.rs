//! Asking the server from the browser.

use leptos::prelude::window;
use wasm_bindgen::JsCast;
use web_sys::Response;

/// The body of a successful answer; `None` for any other, and when there was none.
pub(in crate::islands) async fn fetch_text(url: &str) -> Option<String> {
    let response = window().fetch_with_str(url).await.ok()?;
    let response: Response = response.dyn_into().ok()?;
    if !response.ok() {
        return None;
    }
    response.text().ok()?.await.ok()?.as_string()
}
