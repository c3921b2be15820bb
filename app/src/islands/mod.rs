//! What a plain page cannot do: copying, and following a payment live.
//!
//! An island shows the same thing on the server and in the browser and works as plain HTML until
//! its code has arrived, or for ever when it never does.

pub(crate) mod checkout;
mod copy_button;
mod countdown;
#[cfg(feature = "hydrate")]
mod fetch;
#[cfg(any(test, feature = "hydrate"))]
mod newest;
mod terminal;

pub use checkout::{CheckoutLive, checkout_title};
pub use copy_button::CopyButton;
pub use countdown::Countdown;
pub use terminal::TerminalLive;
