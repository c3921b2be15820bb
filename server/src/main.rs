//! The `exchequer` program: reads the settings and does one thing.

use std::process::ExitCode;

use clap::Parser;
#[cfg(unix)]
use server::cli::SignerArgs;
use server::cli::{Cli, Command};
use server::config::Config;
use server::{bench, commands, logging, serve, shutdown};

/// Exit code of settings that cannot be used, as of arguments that cannot.
const WRONG_SETTINGS: u8 = 2;

/// Pages are rendered by deeply nested calls; builds without optimisation need more than the usual
/// 2 MiB for them.
const WORKER_STACK_BYTES: usize = 8 * 1024 * 1024;

#[expect(
    clippy::print_stderr,
    reason = "errors of a command belong on standard error"
)]
fn main() -> ExitCode {
    let cli = Cli::parse();
    #[cfg(unix)]
    if let Some(Command::Signer(args)) = cli.command {
        return signer(args);
    }
    let config = match Config::read(&cli.settings) {
        Ok(config) => config,
        Err(errors) => {
            for error in errors {
                eprintln!("exchequer: {error}");
            }
            return ExitCode::from(WRONG_SETTINGS);
        }
    };
    let command = cli.command.unwrap_or(Command::Serve);
    logging::start(&config, &command);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .thread_stack_size(WORKER_STACK_BYTES)
        .build();
    let done = match runtime {
        Ok(runtime) => {
            let done = runtime.block_on(run(config, command));
            shutdown::leave(runtime);
            done
        }
        Err(error) => Err(error.into()),
    };
    ended(done)
}

#[expect(
    clippy::print_stderr,
    reason = "errors of a command belong on standard error"
)]
fn ended(done: anyhow::Result<ExitCode>) -> ExitCode {
    match done {
        Ok(code) => code,
        Err(error) => {
            eprintln!("exchequer: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Holds a key, so it reads no setting that is not about it.
#[cfg(unix)]
fn signer(args: SignerArgs) -> ExitCode {
    logging::start_for_signer();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let done = runtime
        .map_err(anyhow::Error::from)
        .and_then(|runtime| runtime.block_on(commands::signer(args)));
    ended(done)
}

async fn run(config: Config, command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Serve => serve::serve(config).await.map(|()| ExitCode::SUCCESS),
        Command::Demo { json } => commands::demo(config, json).await,
        Command::Migrate => commands::migrate(config).await,
        Command::Audit { chain: true, json } => commands::audit_chains(config, json).await,
        Command::Audit { chain: false, json } => commands::audit(config, json).await,
        Command::Treasury { command } => commands::treasury(config, command).await,
        Command::OwnFunds { command } => commands::own_funds(config, command).await,
        // Taken care of before any setting was read.
        #[cfg(unix)]
        Command::Signer(args) => commands::signer(args).await,
        Command::Bench(args) => bench::bench(config, args).await,
    }
}
