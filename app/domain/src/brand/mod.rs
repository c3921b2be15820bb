//! A merchant's colour: what is chosen, what is shown, and the style sheet that brings it to pages
//! (ux §2, merchant override and contrast guard).
//!
//! Invariant: a merchant changes the accent alone. Ink, paper, status colours, focus and QR codes
//! stay ours, so whatever is chosen, every word of a page can be read.

mod color;
mod css;
mod guard;
mod luminance;
mod tokens;

pub use color::Rgb;
pub use css::{preview_stylesheet, stylesheet};
pub use guard::{Accent, CONTRAST_HUNDREDTHS_MIN, Ratios, Shades, Theme};
