//! What the settings of the payment terminal show (`30-processing-api.md`, Payment terminal).

use super::checkout::Notice;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TerminalSettingsView {
    /// Origins that may frame the terminal, one a line, or what was typed before.
    pub origins: String,
    pub test_mode: bool,
    /// `None` without an active key pair: nobody could sign one.
    pub example: Option<TerminalExample>,
    pub notice: Option<Notice>,
}

/// A link that works as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TerminalExample {
    /// The text that is signed.
    pub json: String,
    /// Absolute address.
    pub url: String,
    /// Public key of the pair whose private key signed it.
    pub signed_by: String,
}
