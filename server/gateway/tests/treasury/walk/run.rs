//! Does the steps, and looks at the end who has what.

use gateway::Error;
use gateway::withdrawals::{NewWithdrawal, ReplacedOutcome};
use sqlx::PgPool;

use super::script::Step;
use crate::STRANGERS;
use crate::net::{CHAIN_ID, ETHER, GWEI, Net, contract};
use crate::signer::Place;
use crate::till::{DEEP, Till};

const BY: &str = "admin";

/// Deposits before the first step.
const FIRST_DEPOSITS: usize = 2;

pub struct Run {
    till: Till,
    /// Files of the signer; they go at the end.
    place: Place,
    /// Numbers whatever is asked for, so that no amount comes twice.
    made: u32,
    deposits: usize,
    /// Blocks since the first step: those that may be undone.
    blocks: usize,
    /// Somebody else has used a number. It is never given back: that would leave a gap.
    is_shared: bool,
    /// Something settled was undone, so gas may have been cheaper or dearer than it was booked.
    is_deep: bool,
}

/// At most an ether and 30 tokens at once, as much as one likes in a day.
fn policy() -> String {
    let contract = contract();
    format!(
        r#"{{"chain_id": {CHAIN_ID},
            "ether": {{"payment_max_gwei": 1000000000, "daily_max_gwei": 900000000000}},
            "tokens": [{{"contract": "{contract}", "payment_max_units": 30000000,
                         "daily_max_units": 90000000000}}],
            "fee_max_gwei": 60000000}}"#
    )
}

impl Run {
    /// All that pays was swept: nothing in the account is unknown to the books.
    pub async fn new(pool: &PgPool) -> Self {
        let place = Place::new();
        let till = Till::sweeping(pool, Net::start().await, &place.socket(), "10").await;
        place.start(&till.seed().await, &policy()).await;
        let till = Till::filled(till).await;
        // Ether, gas for the tokens, and the tokens.
        for _ in 0..3 {
            till.work_later().await;
            till.mine(DEEP).await;
        }
        assert_eq!(till.net.received(&till.payer).len(), FIRST_DEPOSITS);
        Self {
            till,
            place,
            made: 0,
            deposits: FIRST_DEPOSITS,
            blocks: 0,
            is_shared: false,
            is_deep: false,
        }
    }

    pub async fn step(mut self, step: Step) -> Self {
        let number = self.next();
        match step {
            Step::Ether => self.ask(&format!("0.1{number:04}"), "ETH").await,
            Step::TooMuch => self.ask(&format!("2.{number:04}"), "ETH").await,
            Step::Tokens => {
                let amount = format!("{}.{:02}", 1 + number / 100, number % 100);
                self.ask(&amount, "USDT").await;
            }
            Step::Deposit { is_token } => self.deposit(is_token).await,
            Step::Mine(blocks) => self.mine(blocks).await,
            Step::Base(gwei) => self.till.net.base(u128::from(gwei) * GWEI),
            // What somebody else sent stays: numbers after it would be after a gap.
            Step::Forget if self.is_shared => {}
            Step::Forget => self.till.net.forget(),
            Step::Undo { depth, keep } => {
                let depth = depth.min(self.blocks);
                self.till.net.reorg(depth, keep || self.is_shared);
                self.till.sync().await;
            }
            Step::UndoSettled { depth } => self.undo_settled(depth).await,
            Step::Deaf(is_deaf) => self.till.net.deaf(is_deaf),
            Step::Fail(fails) => self.till.net.fail(fails),
            Step::Elsewhere => {
                self.till.net.use_elsewhere(self.till.net.used());
                self.is_shared = true;
                self.mine(1).await;
            }
            Step::Resume => self.resume().await,
            Step::End => self.end().await,
            Step::Restart => self.till = self.till.restarted().await,
            Step::Work => self.till.work_later().await,
        }
        self.till.world.audit().await;
        self
    }

    fn next(&mut self) -> u32 {
        self.made += 1;
        self.made
    }

    /// Also when there is not enough for it.
    async fn ask(&self, amount: &str, code: &str) {
        let address = if code == "ETH" {
            STRANGERS[0]
        } else {
            STRANGERS[1]
        };
        let new = NewWithdrawal {
            address: address.to_owned(),
            ..self
                .till
                .world
                .withdrawal(amount, code, &self.made.to_string())
        };
        match self.till.world.withdraw(new).await {
            Ok(_) | Err(Error::Invalid(_)) => {}
            Err(error) => panic!("{amount} {code}: {error}"),
        }
    }

    async fn deposit(&mut self, is_token: bool) {
        let code = if is_token { "USDT" } else { "ETH" };
        let name = format!("walk {}", self.made);
        let address = self.till.world.address(code, None, &name).await;
        if is_token {
            self.till.net.pay_token(&address, 200_000_000);
        } else {
            self.till.net.pay(&address, 2 * ETHER);
        }
        self.deposits += 1;
    }

    async fn mine(&mut self, blocks: u32) {
        self.till.mine(blocks).await;
        self.blocks += usize::try_from(blocks).unwrap();
    }

    /// Not after somebody has ended something of which there is a transaction: then it may be paid all the
    /// same, which is a story of its own.
    async fn undo_settled(&mut self, depth: usize) {
        let ended: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM withdrawals WHERE state = 'void' AND txid IS NOT NULL",
        )
        .fetch_one(&self.till.pool)
        .await
        .unwrap();
        if ended > 0 {
            return;
        }
        self.is_deep = true;
        self.till.net.fail(false);
        self.till.net.base(GWEI);
        self.till.net.reorg(depth.min(self.blocks), true);
        self.till.sync().await;
        self.till.world.audit().await;
        self.mine(DEEP).await;
    }

    async fn resume(&self) {
        let gateway = &self.till.world.gateway;
        match gateway.resume_treasury("ETH", "looked", BY).await {
            Ok(()) | Err(Error::Conflict(_)) => {}
            Err(error) => panic!("{error}"),
        }
    }

    async fn end(&self) {
        let waiting: Vec<i64> = sqlx::query_scalar(
            "SELECT o.id FROM operations o JOIN withdrawals w ON w.operation_id = o.id
             WHERE o.needs_attention ORDER BY o.id",
        )
        .fetch_all(&self.till.pool)
        .await
        .unwrap();
        let gateway = &self.till.world.gateway;
        for id in waiting {
            let ended = gateway
                .end_replaced(id, ReplacedOutcome::NotPaid, "looked", BY)
                .await;
            match ended {
                // It may be paid yet.
                Ok(()) | Err(Error::Conflict(_)) => {}
                Err(error) => panic!("{id}: {error}"),
            }
        }
    }

    /// Everything goes well again, people look after what is stuck, and then everybody has what the books say.
    pub async fn finish(self) {
        self.till.net.deaf(false);
        self.till.net.fail(false);
        self.till.net.base(GWEI);
        for round in 0..12 {
            self.till.due().await;
            self.resume().await;
            // What only needs time gets some.
            if round >= 4 {
                self.end().await;
            }
            self.till.work_later().await;
            self.till.mine(DEEP).await;
        }
        self.check_receivers().await;
        self.check_deposits().await;
        self.check_coins().await;
        drop(self.place);
    }

    /// Each has what was settled, once, and nothing else.
    async fn check_receivers(&self) {
        let (wei, units) = (
            self.till.net.received(STRANGERS[0]),
            self.till.net.received(STRANGERS[1]),
        );
        // The ledger keeps eight digits of a token that has six.
        let units: Vec<u128> = units.into_iter().map(|units| units * 100).collect();
        let told = self.till.mails().await;
        let withdrawals: Vec<(i64, String, String, String)> = sqlx::query_as(
            "SELECT w.operation_id, w.state, c.code, w.amount::text FROM withdrawals w
             JOIN currencies c ON c.id = w.coin_id ORDER BY w.operation_id",
        )
        .fetch_all(&self.till.pool)
        .await
        .unwrap();
        let mut explained = 0;
        for (id, state, code, amount) in withdrawals {
            assert!(
                ["settled", "void"].contains(&state.as_str()),
                "{id}: {state}"
            );
            let amount: u128 = amount.parse().unwrap();
            let received = if code == "ETH" { &wei } else { &units };
            let times = received.iter().filter(|each| **each == amount).count();
            let after_all = format!("Withdrawal {id} was paid although it had ended");
            let is_paid = state == "settled" || told.contains(&after_all);
            assert_eq!(times, usize::from(is_paid), "{id}: {amount} {code} {state}");
            explained += times;
        }
        assert_eq!(explained, wei.len() + units.len());
    }

    /// Each is credited once, whatever was moved between accounts of ours.
    async fn check_deposits(&self) {
        let deposits = self
            .till
            .texts("SELECT state || ' ' || disposition FROM deposits ORDER BY operation_id")
            .await;
        assert_eq!(deposits, vec!["final credited"; self.deposits]);
    }

    /// The books have what the chain has, to the wei, unless somebody else spent it or blocks were undone that
    /// nobody reckoned with.
    async fn check_coins(&self) {
        if self.is_shared || self.is_deep {
            self.till.world.audit().await;
            return;
        }
        self.till.audit().await;
        for view in self.till.world.gateway.audit_chains().await.unwrap() {
            if ["ETH", "USDT"].contains(&view.chain.as_str()) {
                assert!(view.differences.is_empty(), "{view:?}");
            }
        }
    }
}
