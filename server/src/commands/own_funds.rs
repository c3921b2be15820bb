//! Booking the house's own coins, beside a server that runs or not.

use std::process::ExitCode;

use gateway::Gateway;
use gateway::own_funds::OwnFundsBooked;

use super::treasury::explained;
use super::{close, print};
use crate::cli::OwnFundsCommand;
use crate::config::Config;
use crate::database::Database;

/// Who did it, in the audit log.
const BY: &str = "command line";

/// Runs one of the commands; what it says is printed.
pub async fn own_funds(config: Config, command: OwnFundsCommand) -> anyhow::Result<ExitCode> {
    let database = Database::start(&config.database).await?;
    let done = run(&database, &config, command).await;
    database.stop().await?;
    print(&done?)?;
    Ok(ExitCode::SUCCESS)
}

async fn run(
    database: &Database,
    config: &Config,
    command: OwnFundsCommand,
) -> anyhow::Result<String> {
    let gateway = database
        .open(config, config.public_url_at(config.listen))
        .await?;
    let said = told(&gateway, command).await;
    close(&gateway).await;
    said
}

async fn told(gateway: &Gateway, command: OwnFundsCommand) -> anyhow::Result<String> {
    match command {
        OwnFundsCommand::List { coin } => {
            let page = gateway.chain_audit_page(&coin).await.map_err(explained)?;
            if page.own_coins.is_empty() {
                return Ok("Nothing came to an account that no payer is given.".to_owned());
            }
            let lines: Vec<String> = page
                .own_coins
                .iter()
                .map(|own| {
                    let (amount, address) = (&own.amount, &own.address);
                    format!("{}: {amount} {coin} at {address}, {}", own.txid, own.state)
                })
                .collect();
            Ok(lines.join("\n"))
        }
        OwnFundsCommand::Book { coin, txid, reason } => {
            let done = gateway
                .book_own_funds(&coin, &txid, &reason, BY)
                .await
                .map_err(explained)?;
            Ok(sentence(&done, "as the house's own"))
        }
        OwnFundsCommand::TakeOut {
            coin,
            txid,
            loss,
            reason,
        } => {
            let done = gateway
                .book_own_funds_out(&coin, &txid, loss, &reason, BY)
                .await
                .map_err(explained)?;
            Ok(sentence(&done, "as taken out of own funds"))
        }
    }
}

/// `what` they were booked as.
fn sentence(done: &OwnFundsBooked, what: &str) -> String {
    let booked = done
        .booked
        .iter()
        .map(|amount| format!("Booked {amount} {what}."));
    let back = done
        .taken_back
        .iter()
        .map(|amount| format!("Booked {amount} back: the chain does not say so any more."));
    let said: Vec<String> = booked.chain(back).collect();
    if said.is_empty() {
        "The books say the same as the chain already; nothing was changed.".to_owned()
    } else {
        said.join(" ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_outcome_has_its_sentence() {
        let done = |booked: Option<&str>, taken_back: Option<&str>| OwnFundsBooked {
            booked: booked.map(str::to_owned),
            taken_back: taken_back.map(str::to_owned),
        };
        let said = sentence(&done(Some("2 ETH"), None), "as the house's own");
        assert_eq!(said, "Booked 2 ETH as the house's own.");
        let said = sentence(&done(None, Some("2 ETH")), "as the house's own");
        assert!(said.starts_with("Booked 2 ETH back"), "{said}");
        assert!(sentence(&done(None, None), "").ends_with("nothing was changed."));
    }
}
