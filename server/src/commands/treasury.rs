//! What people do with the account that pays on the EVM chain, beside a server that runs or not.

use std::io::Read as _;
use std::process::ExitCode;

use anyhow::{anyhow, ensure};
use gateway::{Error, Gateway};

use super::{close, print};
use crate::cli::TreasuryCommand;
use crate::config::Config;
use crate::database::Database;

/// Who did it, in the audit log.
const BY: &str = "command line";

/// Bytes of a signed transaction in hexadecimal: far more than one of ours takes.
const SIGNED_BYTES_MAX: u64 = 16 * 1024;

/// Runs one of the commands; what it says is printed.
pub async fn treasury(config: Config, command: TreasuryCommand) -> anyhow::Result<ExitCode> {
    let database = Database::start(&config.database).await?;
    let done = run(&database, &config, command).await;
    database.stop().await?;
    print(&done?)?;
    Ok(ExitCode::SUCCESS)
}

async fn run(
    database: &Database,
    config: &Config,
    command: TreasuryCommand,
) -> anyhow::Result<String> {
    let gateway = database
        .open(config, config.public_url_at(config.listen))
        .await?;
    let said = told(&gateway, command).await;
    close(&gateway).await;
    said
}

async fn told(gateway: &Gateway, command: TreasuryCommand) -> anyhow::Result<String> {
    match command {
        TreasuryCommand::List => list(gateway).await,
        TreasuryCommand::Unsigned { withdrawal } => {
            let file = gateway
                .unsigned_transaction(withdrawal, BY)
                .await
                .map_err(explained)?;
            Ok(file.text)
        }
        TreasuryCommand::Signed { withdrawal } => {
            let text = standard_input()?;
            gateway
                .signed_transaction(withdrawal, &text, BY)
                .await
                .map_err(explained)?;
            Ok(format!(
                "The transaction of withdrawal {withdrawal} is stored and will be sent."
            ))
        }
        TreasuryCommand::Bump { withdrawal } => {
            gateway
                .bump_treasury_payment(withdrawal, BY)
                .await
                .map_err(explained)?;
            Ok(format!(
                "A replacement for withdrawal {withdrawal} waits for its signature."
            ))
        }
        TreasuryCommand::Resume {
            coin,
            address,
            reason,
        } => {
            let resumed = match address {
                Some(address) => gateway.resume_account(&address, &reason, BY).await,
                None => gateway.resume_treasury(&coin, &reason, BY).await,
            };
            resumed.map_err(explained)?;
            Ok("Payments go on.".to_owned())
        }
    }
}

async fn list(gateway: &Gateway) -> anyhow::Result<String> {
    let mut lines = Vec::new();
    for account in gateway.treasury_accounts().await? {
        let next = account.next_nonce.map_or_else(
            || "never paid".to_owned(),
            |next| format!("next nonce {next}"),
        );
        lines.push(format!(
            "{} on chain {}: {next}",
            account.address, account.chain_id
        ));
        if let Some(why) = account.paused {
            lines.push(format!("  PAUSED: {why}"));
        }
    }
    if lines.is_empty() {
        return Ok("No chain is paid from an account.".to_owned());
    }
    for line in gateway.treasury_lines().await? {
        let nonce = line
            .nonce
            .map_or_else(String::new, |nonce| format!(", nonce {nonce}"));
        lines.push(format!(
            "  withdrawal {} ({}) is {}{nonce}{}",
            line.operation_id,
            line.code,
            line.state,
            ending(line.txid, line.problem)
        ));
    }
    for each in gateway.treasury_moves().await? {
        lines.push(format!(
            "  {} {} ({}) from {} to {} is {}, nonce {}{}",
            each.purpose,
            each.id,
            each.code,
            each.from_address,
            each.to_address,
            each.state,
            each.nonce,
            ending(each.txid, each.problem)
        ));
    }
    Ok(lines.join("\n"))
}

/// The end of a line: the transaction, where there is one, and what is wrong.
fn ending(txid: Option<String>, problem: Option<String>) -> String {
    let txid = txid.map_or_else(String::new, |txid| format!(", {txid}"));
    let problem = problem.map_or_else(String::new, |why| format!(": {why}"));
    txid + &problem
}

fn standard_input() -> anyhow::Result<String> {
    let mut text = String::new();
    std::io::stdin()
        .take(SIGNED_BYTES_MAX)
        .read_to_string(&mut text)?;
    ensure!(!text.trim().is_empty(), "the standard input is empty");
    Ok(text)
}

/// With what is wrong of each field, which the error alone does not say.
pub(super) fn explained(error: Error) -> anyhow::Error {
    match error {
        Error::Invalid(wrong) => {
            let said: Vec<String> = wrong
                .iter()
                .map(|field| format!("{} {}", field.field, field.message))
                .collect();
            anyhow!(said.join("; "))
        }
        other => other.into(),
    }
}
