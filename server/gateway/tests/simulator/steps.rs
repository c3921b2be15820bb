//! What each command asks of the gateway. Refusals are part of life; what went wrong inside is not.

use gateway::Error;
use gateway::auth::NewKeyPair;
use gateway::charges::{ChargeView, Collection, expire_due};
use gateway::exchange::{NewExchange, Pricing};
use gateway::futures::NewFutures;
use gateway::invoices::NewInvoice;
use gateway::merchants::MerchantPolicy;
use gateway::operator::TermsForm;
use gateway::outbox::deliver_due;
use gateway::withdrawals::{Decider, NewWithdrawal, ReplacedOutcome};

use crate::commands::{Command, Part, Step};
use crate::faults;
use crate::world::{Run, ids, nth};

const BY: &str = "simulator";

const DEPOSITS: &str =
    "SELECT operation_id FROM deposits WHERE $1::bigint >= 0 ORDER BY operation_id";
const WITHDRAWALS: &str =
    "SELECT operation_id FROM withdrawals WHERE $1::bigint >= 0 ORDER BY operation_id";
const PENDING: &str = "SELECT operation_id FROM withdrawals
    WHERE state = 'pending' AND $1::bigint >= 0 ORDER BY operation_id";
const PROMISES: &str = "SELECT id FROM futures WHERE $1::bigint >= 0 ORDER BY id";
const KEYS: &str = "SELECT id FROM key_pairs WHERE merchant_id = $1 ORDER BY id";
/// Stands for nobody in particular.
const EVERYBODY: i64 = 0;

/// An address of nobody here, for each coin.
fn stranger(coin: &str) -> &'static str {
    match coin {
        "BTC" => "bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq",
        "LTC" => "ltc1qar0srrr7xfkvy5l643lydnw9re59gtzz24wl4s",
        _ => "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
    }
}

fn decider() -> Decider {
    Decider {
        name: BY.to_owned(),
        user_id: None,
    }
}

impl Run {
    /// Does one step; says what must not happen, if it did.
    pub async fn step(&mut self, number: usize, step: &Step) -> Result<(), String> {
        self.step = number;
        faults::end_leases(&self.pool).await;
        faults::arm(&self.pool, step.fault).await;
        let first = self.run(step.command, step.fault.is_some()).await;
        faults::arm(&self.pool, None).await;
        let second = if step.again {
            faults::end_leases(&self.pool).await;
            self.run(step.command, false).await
        } else {
            Ok(())
        };
        // What a fault made fail is no finding.
        let first = if step.fault.is_some() { Ok(()) } else { first };
        for outcome in [first, second] {
            match outcome {
                Err(error @ (Error::Internal(_) | Error::Database(_))) if !error.is_transient() => {
                    return Err(format!("{step}: {error}"));
                }
                Ok(()) | Err(_) => {}
            }
        }
        Ok(())
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
            Command::Deliver => deliver_due(self.gateway()).await.map(drop),
        }
    }

    async fn order(&mut self, merchant: usize, cents: u32, told: bool) -> Result<(), Error> {
        let merchant = self.merchants[merchant];
        let url = told.then_some(self.orders_url.as_str());
        let mut new = self.world.new_charge("1.00", "EUR", url);
        new.merchant_id = merchant;
        new.amount = self.money("EUR", cents);
        let answer = self
            .gateway()
            .create_charge(new, None, |view| (201, view.public_id.clone().into_bytes()))
            .await?;
        let id = String::from_utf8(answer.body).unwrap();
        self.charges.push((id, merchant));
        Ok(())
    }

    async fn invoice(&mut self, merchant: usize, cents: u32, timer: bool) -> Result<(), Error> {
        let merchant = self.merchants[merchant];
        let reference = self.reference();
        let new = NewInvoice {
            merchant_id: merchant,
            timer,
            title: "Simulated".to_owned(),
            description: String::new(),
            amount: self.money("EUR", cents),
            sender_currency: None,
            foreign_id: reference.clone(),
            foreign_json: serde_json::Value::String(reference),
            url_success: None,
            url_failed: None,
            email: None,
            collection: Collection::GoodUntilExpired,
            details: None,
            created_by: BY.to_owned(),
        };
        self.gateway()
            .create_invoice(new, None, |_| (201, Vec::new()))
            .await?;
        // Asked again it is the same invoice, so charges are read anew instead of added.
        let known: Vec<(String, i64)> =
            sqlx::query_as("SELECT public_id, merchant_id FROM charges ORDER BY id")
                .fetch_all(&self.pool)
                .await?;
        self.charges = known;
        Ok(())
    }

    async fn act_on_charge(&self, command: Command, id: &str, merchant: i64) -> Result<(), Error> {
        let gateway = self.gateway();
        let nothing = |_: &ChargeView| (200_u16, Vec::<u8>::new());
        match command {
            Command::Pick { coin, .. } => gateway.choose_method(id, coin).await,
            Command::Pay { part, .. } => {
                let view = gateway.find_charge(merchant, id).await?;
                let Some(payment) = view.payment else {
                    return Ok(());
                };
                let due = payment.due.units();
                let units = match part {
                    Part::Exact => payment.left.units(),
                    Part::Half => due / 2,
                    Part::TooMuch => due + due / 3,
                };
                // What has digits nobody can pay is cut.
                let minor = payment.coin.units_per_minor();
                let amount = domain::money::Money::from_units(units / minor * minor, payment.coin);
                if !amount.is_positive() {
                    return Ok(());
                }
                let code = payment.coin.code.to_string();
                self.send_coins(&payment.address, &code, &amount.shortest())
                    .await
            }
            Command::Requote { .. } => gateway.requote(id).await,
            Command::Cancel { .. } => gateway
                .cancel_charge(merchant, id, BY.to_owned(), None, nothing)
                .await
                .map(drop),
            Command::Accept { .. } => gateway
                .accept_charge(merchant, id, BY.to_owned(), None, nothing)
                .await
                .map(drop),
            Command::Refund { .. } => {
                let view = gateway.find_charge(merchant, id).await?;
                let coin = view
                    .refundable
                    .map(|amount| amount.currency().code.to_string());
                let address = coin.map(|coin| stranger(&coin).to_owned());
                gateway
                    .request_refund(merchant, id, address, BY.to_owned(), None, nothing)
                    .await
                    .map(drop)
            }
            _ => Ok(()),
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
            Command::Replace { coin, tx }
            | Command::Forget { coin, tx }
            | Command::Announce { coin, tx } => {
                let waiting = self.txids(coin, true).await;
                let Some(txid) = nth(&waiting, tx) else {
                    return Ok(());
                };
                match command {
                    Command::Replace { .. } => {
                        gateway.sandbox_replace(txid, None, None).await.map(drop)
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

    /// With a fault only what the clock itself starts: a delivery whose attempt cannot be written down
    /// would be waited for as long as its lease runs.
    async fn pass_time(&self, seconds: i64, breaks: bool) -> Result<(), Error> {
        let gateway = self.gateway();
        if breaks {
            gateway.clock().advance(&self.pool, seconds).await?;
            return expire_due(gateway).await.map(drop);
        }
        gateway.advance(seconds).await.map(drop)
    }

    async fn withdraw(
        &self,
        merchant: usize,
        from: &'static str,
        to: &'static str,
        parts: u32,
    ) -> Result<(), Error> {
        // Cents of fiat are worth little by the side of a coin's parts.
        let parts = if from == "EUR" { parts * 30 } else { parts };
        let new = NewWithdrawal {
            merchant_id: self.merchants[merchant],
            foreign_id: Some(self.reference()),
            amount: self.money(from, parts),
            convert_to: (from != to).then(|| self.currency(to)),
            address: stranger(to).to_owned(),
            tag: None,
            requested_by: BY.to_owned(),
            requested_user_id: None,
        };
        self.gateway()
            .request_withdrawal_by_reference(new, None, |_| (201, Vec::new()))
            .await
            .map(drop)
    }

    async fn decide(&self, command: Command) -> Result<(), Error> {
        let gateway = self.gateway();
        let (question, which) = match command {
            Command::Release { deposit } | Command::SendBack { deposit } => (DEPOSITS, deposit),
            Command::Approve { withdrawal } | Command::Decline { withdrawal } => {
                (PENDING, withdrawal)
            }
            Command::EndReplaced { withdrawal, .. } => (WITHDRAWALS, withdrawal),
            _ => return Ok(()),
        };
        let all = ids(&self.pool, question, EVERYBODY).await;
        let Some(id) = nth(&all, which).copied() else {
            return Ok(());
        };
        let merchant: i64 = sqlx::query_scalar("SELECT merchant_id FROM operations WHERE id = $1")
            .bind(id)
            .fetch_one(&self.pool)
            .await?;
        match command {
            Command::Release { .. } => gateway.release_deposit(id, BY).await,
            Command::SendBack { .. } => {
                let code: String = sqlx::query_scalar(
                    "SELECT c.code FROM operations o JOIN currencies c ON c.id = o.sent_currency_id
                     WHERE o.id = $1",
                )
                .bind(id)
                .fetch_one(&self.pool)
                .await?;
                gateway.refund_deposit(id, stranger(&code), BY).await
            }
            Command::Approve { .. } => gateway.approve_withdrawal(merchant, id, decider()).await,
            Command::Decline { .. } => gateway.decline_withdrawal(merchant, id, decider()).await,
            Command::EndReplaced { paid, .. } => {
                let outcome = if paid {
                    ReplacedOutcome::Paid
                } else {
                    ReplacedOutcome::NotPaid
                };
                gateway.end_replaced(id, outcome, "looked at it", BY).await
            }
            _ => Ok(()),
        }
    }

    async fn exchange(
        &self,
        merchant: usize,
        from: &'static str,
        to: &'static str,
        parts: u32,
    ) -> Result<(), Error> {
        let parts = if from == "EUR" { parts * 30 } else { parts };
        let new = NewExchange {
            merchant_id: self.merchants[merchant],
            sender_amount: self.money(from, parts),
            receiver: self.currency(to),
            pricing: Pricing::Now,
            foreign_id: Some(self.reference()),
            requested_by: BY.to_owned(),
        };
        self.gateway()
            .exchange(new, None, |_| (201, Vec::new()))
            .await
            .map(drop)
    }

    async fn promise(&self, merchant: usize, cents: u32) -> Result<(), Error> {
        let merchant = self.merchants[merchant];
        let new = NewFutures {
            merchant_id: merchant,
            address: self.address(merchant, "BTC", true).await?,
            sender: self.currency("BTC"),
            receiver: self.currency("EUR"),
            receiver_amount: self.money("EUR", cents),
        };
        self.gateway()
            .confirm_futures(new, None, |_| (201, Vec::new()))
            .await
            .map(drop)
    }

    /// Pays exactly what a promise is about, whether it still stands or not.
    async fn meet(&self, promise: u32) -> Result<(), Error> {
        let all = ids(&self.pool, PROMISES, EVERYBODY).await;
        let Some(id) = nth(&all, promise).copied() else {
            return Ok(());
        };
        let (merchant, units): (i64, rust_decimal::Decimal) =
            sqlx::query_as("SELECT merchant_id, sender_amount FROM futures WHERE id = $1")
                .bind(id)
                .fetch_one(&self.pool)
                .await?;
        let coin = self.currency("BTC");
        let amount = domain::money::Money::from_units(gateway::ledger::units(units), coin);
        let address = self.address(merchant, "BTC", true).await?;
        self.send_coins(&address, "BTC", &amount.shortest()).await
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
