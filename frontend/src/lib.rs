//! The browser bundle. It carries the islands of `app` and starts the reactive system for them;
//! `public/boot.js` then hydrates each island on the page.
//!
//! Natively this crate is empty, so that a workspace build never switches `hydrate` on inside the
//! server.

#[cfg(target_arch = "wasm32")]
use wasm_bindgen::prelude::wasm_bindgen;

// Linking the crate is what puts its islands into the bundle.
#[cfg(target_arch = "wasm32")]
use app as _;

/// Called once by the page before any island is hydrated.
#[cfg(target_arch = "wasm32")]
#[wasm_bindgen]
pub fn hydrate() {
    leptos::mount::hydrate_islands();
}
