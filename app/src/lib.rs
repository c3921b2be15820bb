//! Exchequer's pages, rendered on the server, and the islands that bring them to life.
//!
//! A page is a component that takes one view struct of `domain::view` by value and gives the whole
//! document. Nothing here loads data, knows a route table or needs JavaScript: every action is a
//! plain form. Islands add what a plain page cannot do, live status and copying.

#![recursion_limit = "256"]

pub mod islands;
#[cfg(feature = "ssr")]
pub mod pages;
#[cfg(feature = "ssr")]
mod render;
#[cfg(feature = "ssr")]
pub mod shell;
pub mod ui;

#[cfg(feature = "ssr")]
pub use render::render;
