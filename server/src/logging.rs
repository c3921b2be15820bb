//! Where log lines go: to standard error, so that a command's output can be read by programs.

use std::io;

use tracing_subscriber::EnvFilter;

use crate::cli::Command;
use crate::config::Config;

/// Starts logging; a second call changes nothing.
///
/// Commands that end say what they have to say by themselves, so only warnings are logged beside
/// it.
pub fn start(config: &Config, command: &Command) {
    let usual = match command {
        Command::Serve => "info",
        #[cfg(unix)]
        Command::Signer(_) => "info",
        Command::Demo { .. }
        | Command::Migrate
        | Command::Audit { .. }
        | Command::Treasury { .. }
        | Command::OwnFunds { .. } => "warn",
        // Under load every slow statement would be warned of.
        Command::Bench { .. } => "error",
    };
    let filter = EnvFilter::new(config.log.as_deref().unwrap_or(usual));
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        // Told on standard error as well, which panics where nobody reads it any more.
        .log_internal_errors(false);
    // Refused only when logging runs already.
    let _ = if config.log_as_json {
        builder.json().try_init()
    } else {
        builder.try_init()
    };
}

/// The same for the signer, which reads no other settings. What it signs and refuses is worth a line.
#[cfg(unix)]
pub fn start_for_signer() {
    // Refused only when logging runs already.
    let _ = tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new("info"))
        .with_writer(io::stderr)
        // As above. Here a panic would come in the middle of a request, and end all of them.
        .log_internal_errors(false)
        .try_init();
}
