//! What each command asks of the gateway. Refusals are part of life; what went wrong inside is not.

mod charges;
mod money;

use gateway::Error;
use gateway::auth::NewKeyPair;
use gateway::charges::expire_due;
use gateway::merchants::MerchantPolicy;
use gateway::operator::TermsForm;
use gateway::outbox::deliver_due;

use crate::commands::{Command, Step};
use crate::faults;
use crate::outages;
use crate::world::{Run, ids, nth};

const BY: &str = "simulator";

/// How far one process's clock may be behind the others'.
const BEHIND_SECONDS_MAX: i64 = 900;

const KEYS: &str = "SELECT id FROM key_pairs WHERE merchant_id = $1 ORDER BY id";

/// An address of nobody here, for each coin.
fn stranger(coin: &str) -> &'static str {
    match coin {
        "BTC" => "bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq",
        "LTC" => "ltc1qar0srrr7xfkvy5l643lydnw9re59gtzz24wl4s",
        _ => "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
    }
}

impl Run {
    /// Does one step; says what must not happen, if it did.
    pub async fn step(&mut self, number: usize, step: &Step) -> Result<(), String> {
        self.step = number;
        faults::end_leases(&self.pool).await;
        self.arm(step.fault).await;
        let first = self.run_where(step, step.fault.is_some()).await;
        let has_fired = self.has_fired(step.fault).await;
        self.arm(None).await;
        let second = if step.again {
            faults::end_leases(&self.pool).await;
            self.run_where(step, false).await
        } else {
            Ok(())
        };
        // What a fault made fail is no finding; one that never came made nothing fail.
        let first = if has_fired { Ok(()) } else { first };
        for outcome in [first, second] {
            match outcome {
                Err(error) if faults::is_finding(&error) => return Err(format!("{step}: {error}")),
                Ok(()) | Err(_) => {}
            }
        }
        Ok(())
    }

    /// In the other process, if the step says so.
    async fn run_where(&mut self, step: &Step, breaks: bool) -> Result<(), Error> {
        if !step.behind {
            return self.run(step.command, breaks).await;
        }
        std::mem::swap(&mut self.world.gateway, &mut self.behind);
        let outcome = self.run(step.command, breaks).await;
        std::mem::swap(&mut self.world.gateway, &mut self.behind);
        outcome
    }

    async fn run(&mut self, command: Command, breaks: bool) -> Result<(), Error> {
        match command {
            Command::Order {
                merchant,
                cents,
                told,
            } => self.order(merchant, cents, told).await,
            Command::Invoice {
                merchant,
                cents,
                timer,
            } => self.invoice(merchant, cents, timer).await,
            Command::Pick { charge, .. }
            | Command::Pay { charge, .. }
            | Command::Requote { charge }
            | Command::Cancel { charge }
            | Command::Accept { charge }
            | Command::Refund { charge } => {
                let Some((id, merchant)) = nth(&self.charges, charge).cloned() else {
                    return Ok(());
                };
                self.act_on_charge(command, &id, merchant).await
            }
            Command::Deposit {
                merchant,
                coin,
                converts,
                parts,
            } => {
                let merchant = self.merchants[merchant];
                let address = self.address(merchant, coin, converts).await?;
                self.send_coins(&address, coin, &self.money(coin, parts).shortest())
                    .await
            }
            Command::Mine { .. }
            | Command::Reorg { .. }
            | Command::Replace { .. }
            | Command::Forget { .. }
            | Command::Announce { .. } => self.change_chain(command).await,
            Command::Rate { coin, euros } => self
                .gateway()
                .set_rate(coin, "EUR", &euros.to_string())
                .await
                .map(drop),
            Command::Clock { seconds } => self.pass_time(seconds, breaks).await,
            Command::Withdraw {
                merchant,
                from,
                to,
                parts,
            } => self.withdraw(merchant, from, to, parts).await,
            Command::Release { .. }
            | Command::SendBack { .. }
            | Command::Approve { .. }
            | Command::Decline { .. }
            | Command::EndReplaced { .. } => self.decide(command).await,
            Command::Exchange {
                merchant,
                from,
                to,
                parts,
            } => self.exchange(merchant, from, to, parts).await,
            Command::Promise { merchant, cents } => self.promise(merchant, cents).await,
            Command::Meet { promise } => self.meet(promise).await,
            Command::Limit { .. } | Command::Fee { .. } | Command::Key { .. } => {
                self.change_terms(command).await
            }
            Command::Receiver { answer } => {
                self.receiver.will_answer(answer);
                Ok(())
            }
            Command::OwnCoins { .. }
            | Command::BookOwn { .. }
            | Command::TakeOwn { .. }
            | Command::BookOut { .. } => self.own_funds(command).await,
            Command::Away { who, is_away } => {
                outages::set(&self.pool, who, is_away).await;
                Ok(())
            }
            Command::Deliver => deliver_due(self.gateway()).await.map(drop),
        }
    }

    async fn send_coins(&self, address: &str, coin: &str, amount: &str) -> Result<(), Error> {
        self.gateway()
            .sandbox_pay(address, amount, Some(coin), None)
            .await
            .map(drop)
    }

    async fn change_chain(&self, command: Command) -> Result<(), Error> {
        let gateway = self.gateway();
        match command {
            Command::Mine { coin, blocks } => gateway
                .sandbox_mine(Some(coin), Some(blocks))
                .await
                .map(drop),
            Command::Reorg { coin, depth, lost } => {
                let recent = self.txids(coin, false).await;
                let lost: Vec<String> = lost
                    .and_then(|which| nth(&recent, which))
                    .cloned()
                    .into_iter()
                    .collect();
                gateway
                    .sandbox_reorg(Some(coin), depth, &lost)
                    .await
                    .map(drop)
            }
            Command::Replace { coin, tx, .. }
            | Command::Forget { coin, tx }
            | Command::Announce { coin, tx } => {
                let waiting = self.txids(coin, true).await;
                let Some(txid) = nth(&waiting, tx) else {
                    return Ok(());
                };
                match command {
                    Command::Replace { pays, .. } => {
                        let address = if pays {
                            self.paid_address(coin, txid).await?
                        } else {
                            None
                        };
                        gateway
                            .sandbox_replace(txid, address.as_deref(), None)
                            .await
                            .map(drop)
                    }
                    Command::Forget { .. } => gateway.sandbox_drop(txid).await,
                    _ => gateway
                        .sandbox_pay("", "", None, Some(txid))
                        .await
                        .map(drop),
                }
            }
            _ => Ok(()),
        }
    }

    /// Whom a transaction of a simulated chain pays.
    async fn paid_address(&self, coin: &str, txid: &str) -> Result<Option<String>, Error> {
        let address = sqlx::query_scalar(
            "SELECT outputs -> 0 ->> 'address' FROM sim.txs WHERE chain = $1 AND txid = $2",
        )
        .bind(coin)
        .bind(txid)
        .fetch_one(&self.pool)
        .await?;
        Ok(address)
    }

    async fn pass_time(&self, seconds: i64, breaks: bool) -> Result<(), Error> {
        // The other clock stays behind by what passes now, and by nothing from before.
        self.behind.clock().refresh(&self.pool).await?;
        let outcome = self.pass_time_here(seconds, breaks).await;
        if seconds > BEHIND_SECONDS_MAX {
            self.behind.clock().refresh(&self.pool).await?;
        }
        outcome
    }

    /// With a fault only what the clock itself starts: a delivery whose attempt cannot be written down
    /// would be waited for as long as its lease runs.
    async fn pass_time_here(&self, seconds: i64, breaks: bool) -> Result<(), Error> {
        let gateway = self.gateway();
        if breaks {
            gateway.clock().advance(&self.pool, seconds).await?;
            return expire_due(gateway).await.map(drop);
        }
        gateway.advance(seconds).await.map(drop)
    }

    async fn change_terms(&self, command: Command) -> Result<(), Error> {
        let gateway = self.gateway();
        match command {
            Command::Limit { merchant, whole } => {
                let policy = MerchantPolicy {
                    merchant_id: self.merchants[merchant],
                    withdrawal_limit: Some(whole.to_string()),
                    ..MerchantPolicy::default()
                };
                gateway.sandbox_merchant(policy).await
            }
            Command::Fee { coin, percent } => {
                let view = gateway.terms_form(coin).await?;
                let mut form: TermsForm = view
                    .inputs
                    .into_iter()
                    .map(|input| (input.name.to_owned(), input.value))
                    .collect();
                form.insert("version".to_owned(), view.version.to_string());
                form.insert("deposit_fee_basis_points".to_owned(), percent.to_string());
                gateway.change_terms(coin, form, "simulated", BY).await
            }
            Command::Key { merchant, revoke } => {
                let merchant_id = self.merchants[merchant];
                let known = ids(&self.pool, KEYS, merchant_id).await;
                if let (true, Some(id)) = (revoke, known.last()) {
                    return gateway.revoke_key_pair(merchant_id, *id, BY).await;
                }
                let new = NewKeyPair {
                    merchant_id,
                    name: self.reference(),
                    permissions: Vec::new(),
                };
                gateway.create_key_pair(new, BY).await.map(drop)
            }
            _ => Ok(()),
        }
    }
}
