//! Commands that do one thing and end.

mod own_funds;
mod reconciliation;
mod treasury;

use std::io::{self, Write};
use std::process::ExitCode;

use anyhow::{bail, ensure};
use domain::view::reconciliation::ChainAuditView;
use gateway::Gateway;
use gateway::audit::AuditReport;
use serde_json::{Value, json};

pub use self::own_funds::own_funds;
pub use self::treasury::treasury;
#[cfg(unix)]
use crate::cli::SignerArgs;
use crate::config::Config;
use crate::database::Database;
#[cfg(unix)]
use crate::shutdown::Shutdown;

/// Makes the demo set, or reads it again, and prints it (`70-sandbox.md`).
pub async fn demo(config: Config, as_json: bool) -> anyhow::Result<ExitCode> {
    ensure!(
        config.test_mode,
        "demo accounts exist in test mode only (EXCHEQUER_MODE=test)"
    );
    let database = Database::start(&config.database).await?;
    let made = demo_set(&database, &config).await;
    database.stop().await?;
    let set = made?;
    if as_json {
        print(&format!("{set:#}"))?;
    } else {
        print(&demo_text(&set))?;
    }
    Ok(ExitCode::SUCCESS)
}

async fn demo_set(database: &Database, config: &Config) -> anyhow::Result<Value> {
    let gateway = database
        .open(config, config.public_url_at(config.listen))
        .await?;
    let mut set = gateway.demo().await?;
    if !config.says_where()
        && let Some(noted) = gateway.noted_public_url().await?
    {
        set.base_url = noted;
    }
    close(&gateway).await;
    Ok(serde_json::to_value(set)?)
}

/// The log-ins of a demo set, for people.
pub(crate) fn demo_text(set: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut lines = vec![format!(
        "Demo log-ins at {}/sign-in",
        text(&set["base_url"])
    )];
    for role in ["admin", "manager", "merchant", "api_user", "merchant2"] {
        let (email, password) = (text(&set[role]["email"]), text(&set[role]["password"]));
        lines.push(format!("  {role:<10} {email:<28} {password}"));
    }
    lines.push(format!(
        "Key of the merchant (Orders API): {}",
        text(&set["merchant"]["ex_pk"])
    ));
    lines.join("\n")
}

/// Brings the schema of the database up to this version.
pub async fn migrate(config: Config) -> anyhow::Result<ExitCode> {
    let database = Database::start(&config.database).await?;
    let migrated = gateway::migrate(&database.url()).await;
    database.stop().await?;
    if let Err(error) = migrated {
        bail!("the database cannot be brought up to date: {error}");
    }
    print("The database is up to date.")?;
    Ok(ExitCode::SUCCESS)
}

/// Proves the books. The first violation is named and the exit code is 1 when there is any.
pub async fn audit(config: Config, as_json: bool) -> anyhow::Result<ExitCode> {
    let database = Database::start(&config.database).await?;
    let checked = check_books(&database, &config).await;
    database.stop().await?;
    let report = checked?;
    if as_json {
        print(&format!("{:#}", report_json(&report)))?;
    } else {
        print(&report_text(&report))?;
    }
    Ok(if report.is_clean() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Compares the books with the chains and their nodes. The exit code is 1 when a difference is not
/// explained, else 2 when a node could not be compared.
pub async fn audit_chains(config: Config, as_json: bool) -> anyhow::Result<ExitCode> {
    let database = Database::start(&config.database).await?;
    let compared = compare_chains(&database, &config).await;
    database.stop().await?;
    let found = compared?;
    if as_json {
        print(&format!("{:#}", reconciliation::json(&found)))?;
    } else {
        print(&reconciliation::text(&found))?;
    }
    Ok(reconciliation::exit_code(&found).into())
}

async fn compare_chains(
    database: &Database,
    config: &Config,
) -> anyhow::Result<Vec<ChainAuditView>> {
    let gateway = database
        .open(config, config.public_url_at(config.listen))
        .await?;
    let found = gateway.audit_chains().await;
    close(&gateway).await;
    Ok(found?)
}

/// Signs until it is told to stop.
#[cfg(unix)]
pub async fn signer(args: SignerArgs) -> anyhow::Result<ExitCode> {
    let mut stop = Shutdown::on_signal();
    signing::run(args.config(), async move { stop.requested().await }).await?;
    Ok(ExitCode::SUCCESS)
}

async fn check_books(database: &Database, config: &Config) -> anyhow::Result<AuditReport> {
    let gateway = database
        .open(config, config.public_url_at(config.listen))
        .await?;
    let report = gateway.audit_and_keep("command").await;
    close(&gateway).await;
    Ok(report?)
}

fn report_json(report: &AuditReport) -> Value {
    let checks: Vec<Value> = report
        .checks
        .iter()
        .map(|check| json!({ "name": check.name, "violations": check.violations }))
        .collect();
    json!({
        "clean": report.is_clean(),
        "postings": report.postings,
        "accounts": report.accounts,
        "checks": checks,
    })
}

fn report_text(report: &AuditReport) -> String {
    let mut lines = Vec::new();
    let found = report.checks.iter().find_map(|check| {
        check
            .violations
            .first()
            .map(|violation| format!("{}: {violation}", check.name))
    });
    lines.push(match found {
        Some(first) => format!("VIOLATED. First violation: {first}"),
        None => "The books are in order.".to_owned(),
    });
    lines.push(format!(
        "{} postings, {} accounts",
        report.postings, report.accounts
    ));
    for check in &report.checks {
        match check.violations.len() {
            0 => lines.push(format!("  ok    {}", check.name)),
            count => lines.push(format!("  FAIL  {} ({count})", check.name)),
        }
    }
    lines.join("\n")
}

/// Connections are given back before a private database stops.
pub(crate) async fn close(gateway: &Gateway) {
    gateway.close().await;
}

pub(crate) fn print(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{text}")?;
    out.flush()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use gateway::PgPool;
    use gateway::audit::AuditCheck;
    use sqlx::ConnectOptions;

    use super::*;
    use crate::cli::Settings;

    fn report(violations: &[&str]) -> AuditReport {
        let violations = violations.iter().map(|&text| text.to_owned()).collect();
        AuditReport {
            postings: 12,
            accounts: 5,
            checks: vec![
                AuditCheck {
                    name: "versions are gapless",
                    violations: Vec::new(),
                },
                AuditCheck {
                    name: "balances follow from postings",
                    violations,
                },
            ],
        }
    }

    #[test]
    fn clean_books_are_said_to_be_in_order() {
        let text = report_text(&report(&[]));
        assert!(
            text.starts_with("The books are in order.\n12 postings, 5 accounts"),
            "{text}"
        );
        assert_eq!(report_json(&report(&[]))["clean"], true);
    }

    #[test]
    fn the_first_violation_is_named() {
        let broken = report(&["account 3 shows 7, postings say 6", "account 4 shows 1"]);
        let text = report_text(&broken);
        let first = "VIOLATED. First violation: balances follow from postings: account 3 shows 7";
        assert!(text.starts_with(first), "{text}");
        assert!(
            text.contains("  FAIL  balances follow from postings (2)"),
            "{text}"
        );
        assert_eq!(
            report_json(&broken)["checks"][1]["violations"][1],
            "account 4 shows 1"
        );
    }

    #[sqlx::test(migrations = "../migrations")]
    async fn the_demo_set_names_the_server_that_runs(pool: PgPool) {
        let url = pool.connect_options().to_url_lossy().to_string();
        let database = Database::Named(url.clone());
        let config = |listen: Option<&str>, public_url: Option<&str>| {
            let settings = Settings {
                listen: listen.map(str::to_owned),
                public_url: public_url.map(str::to_owned),
                mode: "test".to_owned(),
                database_url: Some(url.clone()),
                db_connections: "2".to_owned(),
                sandbox_public: "off".to_owned(),
                spread_basis_points: "0".to_owned(),
                rate_stale_seconds: "600".to_owned(),
                log_format: "text".to_owned(),
                drain_seconds: "0".to_owned(),
                ..Settings::default()
            };
            Config::read(&settings).ok().unwrap()
        };
        let usual = config(None, None);
        let before = demo_set(&database, &usual).await.unwrap();
        assert_eq!(before["base_url"], "http://127.0.0.1:3000");

        let server = config(Some("127.0.0.1:8080"), None);
        let at = server.public_url_at(server.listen);
        let gateway = database.open(&server, at).await.unwrap();
        gateway.note_public_url().await.unwrap();
        close(&gateway).await;

        for (config, expected) in [
            (usual, "http://127.0.0.1:8080"),
            (
                config(Some("127.0.0.1:9090"), None),
                "http://127.0.0.1:9090",
            ),
            (
                config(None, Some("https://pay.example")),
                "https://pay.example",
            ),
        ] {
            let set = demo_set(&database, &config).await.unwrap();
            assert_eq!(set["base_url"], expected);
        }
    }

    #[test]
    fn a_demo_set_is_told_in_log_ins() {
        let set = json!({
            "base_url": "http://127.0.0.1:3000",
            "merchant": { "email": "m@demo.example", "password": "pw", "ex_pk": "ex_pk_1" },
        });
        let text = demo_text(&set);
        assert!(text.contains("http://127.0.0.1:3000/sign-in"), "{text}");
        assert!(text.contains("merchant   m@demo.example"), "{text}");
        assert!(text.ends_with("ex_pk_1"), "{text}");
    }
}
