//! The gateway under test between two networks and two signers, and what the steps need of it.

use std::sync::Arc;

use gateway::chain::address::{output_address, params};
use gateway::chain::{GivenNode, follower};
use gateway::payouts::{PayoutSettings, Rules, SignerSetting};
use gateway::{Error, Gateway, Settings};
use signing::FeeCaps;
use sqlx::PgPool;

use super::desk::{Desk, Mood};
use super::script::{Chain, MERCHANTS, Node};
use crate::coin_net;
use crate::faults::{self, Fault};
use crate::net::{self, CHAIN_ID, ETHER, contract};
use crate::support::World;
use crate::support::seed::seed;
use crate::till::{DEEP, confirmations, settings};
use crate::wire::Wire;
use crate::wired::Wired;

/// Deposits of bitcoin that each merchant has at the start, and satoshi of each.
const COINS_EACH: usize = 6;
const COIN: u64 = 20_000_000;

/// Neither signer refuses by itself: whoever stands before it does.
const OUTPUTS_POLICY: &str = r#"{"chain": "bitcoin", "payment_max_sat": 1000000000,
    "daily_max_sat": 100000000000, "fee_max_sat": 1000000, "fee_max_ppm": 500000}"#;

fn accounts_policy() -> String {
    let contract = contract();
    format!(
        r#"{{"chain_id": {CHAIN_ID},
            "ether": {{"payment_max_gwei": 100000000000, "daily_max_gwei": 900000000000}},
            "tokens": [{{"contract": "{contract}", "payment_max_units": 9000000000,
                         "daily_max_units": 90000000000}}],
            "fee_max_gwei": 60000000}}"#
    )
}

pub struct Run {
    pub world: World,
    /// The same instance in another process.
    pub other: Gateway,
    /// Not the gateway's: it is never cut off.
    pub pool: PgPool,
    wire: Arc<Wire>,
    pub merchants: [i64; MERCHANTS],
    pub outputs: Arc<coin_net::Net>,
    pub accounts: net::Net,
    outputs_desk: Desk,
    accounts_desk: Desk,
    /// What the node of each chain does.
    outputs_node: Node,
    accounts_node: Node,
    /// The account that pays.
    pub payer: String,
    /// Blocks of accounts since the first step: those that may be undone.
    pub blocks: usize,
    /// Number of the step, which names what it makes.
    pub step: usize,
}

fn of_both(outputs: &Arc<coin_net::Net>, accounts: &net::Net, desks: [&Desk; 2]) -> Settings {
    let [outputs_desk, accounts_desk] = desks;
    let contract = contract();
    let more = [
        ("EXCHEQUER_CHAIN_ETH_TOKEN_USDT", contract.as_str()),
        ("EXCHEQUER_PAYOUT_ETH_SWEEP_MULTIPLE", "10"),
    ];
    let socket = accounts_desk.socket();
    let mut settings = settings(accounts.port, socket.to_str().unwrap(), &more);
    let node = GivenNode {
        backend: outputs.clone(),
        coins: outputs.clone(),
    };
    let payouts = PayoutSettings {
        signer: SignerSetting::Socket(outputs_desk.socket()),
        rules: Rules {
            caps: FeeCaps {
                absolute: 1_000_000,
                relative_ppm: 500_000,
            },
            ..Rules::default()
        },
    };
    settings.chains = settings
        .chains
        .with_given(params("BTC").unwrap(), node, payouts);
    settings
}

impl Run {
    pub async fn new(database: &Wired) -> Self {
        let pool = database.pool.clone();
        let outputs = Arc::new(coin_net::Net::new());
        let accounts = net::Net::start().await;
        let (mut outputs_desk, mut accounts_desk) = (Desk::new(), Desk::new());
        let settings = of_both(&outputs, &accounts, [&outputs_desk, &accounts_desk]);
        let world = World::with(&database.through, settings).await;
        let payer: String = sqlx::query_scalar(
            "SELECT address FROM chain_addresses WHERE chain = 'ETH' AND branch = 1",
        )
        .fetch_one(&pool)
        .await
        .unwrap();
        accounts.listen_to(&payer);
        confirmations(&pool).await;
        // Of bitcoin fewer than may be undone, so that what was settled comes back; deposits need more.
        sqlx::query(
            "UPDATE currency_terms SET confirmations = 3, confirmations_large = 4
             WHERE currency_id = (SELECT id FROM currencies WHERE code = 'BTC')",
        )
        .execute(&pool)
        .await
        .unwrap();
        let seed = seed(&pool).await;
        outputs_desk.open(&seed, OUTPUTS_POLICY).await;
        accounts_desk.open(&seed, &accounts_policy()).await;
        let demo = world.gateway.demo().await.unwrap();
        let other = World::open(&database.through, world.gateway.settings().clone())
            .await
            .unwrap();
        let run = Self {
            world,
            other,
            pool,
            wire: database.wire.clone(),
            merchants: [demo.merchant.id, demo.merchant2.id],
            outputs,
            accounts,
            outputs_desk,
            accounts_desk,
            outputs_node: Node::Answers,
            accounts_node: Node::Answers,
            payer,
            blocks: 0,
            step: 0,
        };
        run.fill().await;
        faults::install(&run.pool).await;
        run
    }

    /// Every merchant has some of each coin; what accounts hold is swept, so that all that pays is in the books.
    async fn fill(&self) {
        for merchant in self.merchants {
            for number in 0..COINS_EACH {
                let name = format!("coin {number}");
                let address = self.world.address_of(merchant, "BTC", None, &name).await;
                self.outputs.fund(&address, COIN);
            }
            let ether = self.world.address_of(merchant, "ETH", None, "rich").await;
            self.accounts.pay(&ether, 50 * ETHER);
            let token = self.world.address_of(merchant, "USDT", None, "rich").await;
            self.accounts.pay_token(&token, 5_000_000_000);
        }
        self.outputs.mine(8);
        self.accounts.mine(DEEP);
        self.follow_both().await.unwrap();
        // Ether, gas for the tokens, and the tokens.
        for _ in 0..4 {
            self.gateway().advance(3_600).await.unwrap();
            self.accounts.mine(DEEP);
            self.follow_both().await.unwrap();
        }
        let swept = self.accounts.received(&self.payer).len();
        assert_eq!(swept, 2 * MERCHANTS, "sweeps");
        self.other.clock().refresh(&self.pool).await.unwrap();
    }

    /// From now on, counted anew; `None`: nothing breaks.
    pub async fn arm(&self, fault: Option<Fault>) {
        faults::arm(&self.pool, &self.wire, fault).await;
    }

    /// Whether what this step armed has broken something.
    pub async fn has_fired(&self, fault: Option<Fault>) -> bool {
        faults::has_fired(&self.pool, &self.wire, fault).await
    }

    pub fn gateway(&self) -> &Gateway {
        &self.world.gateway
    }

    /// A reference that is the same when the step is asked again.
    pub fn reference(&self) -> String {
        format!("step-{}", self.step)
    }

    /// Whose address only the withdrawal of this step is paid to.
    pub fn receiver(&self, coin: &str) -> String {
        let mut bytes = [0x42; 20];
        bytes[..8].copy_from_slice(&u64::try_from(self.step).unwrap().to_be_bytes());
        if coin == "BTC" {
            // Version 0, and twenty bytes.
            let mut script = vec![0x00, 0x14];
            script.extend(bytes);
            return output_address(params("BTC").unwrap(), &script).unwrap();
        }
        signing::evm::Account(bytes).to_string()
    }

    pub async fn follow(&self, chain: Chain) -> Result<(), Error> {
        let codes = match chain {
            Chain::Outputs => &["BTC"][..],
            Chain::Accounts => &["ETH", "USDT"],
        };
        for code in codes {
            follower::sync(self.gateway(), self.world.currency(code)).await?;
        }
        Ok(())
    }

    pub async fn follow_both(&self) -> Result<(), Error> {
        for chain in Chain::BOTH {
            self.follow(chain).await?;
        }
        Ok(())
    }

    pub fn signs(&self, chain: Chain, mood: Mood) {
        match chain {
            Chain::Outputs => self.outputs_desk.answers(mood),
            Chain::Accounts => self.accounts_desk.answers(mood),
        }
    }

    pub fn node(&mut self, chain: Chain, node: Node) {
        let is_away = node == Node::Away;
        let loses_answers = node == Node::LosesAnswers;
        let refuses = node == Node::Refuses;
        match chain {
            Chain::Outputs => {
                self.outputs.away(is_away);
                self.outputs.lose_answers(loses_answers);
                self.outputs.refuse(refuses.then_some("the node is busy"));
                self.outputs_node = node;
            }
            Chain::Accounts => {
                self.accounts.away(is_away);
                self.accounts.lose_answers(loses_answers);
                self.accounts.deaf(refuses);
                self.accounts_node = node;
            }
        }
    }

    /// What a node does not answer is no fault of the gateway.
    pub fn nodes_answer(&self) -> bool {
        self.outputs_node == Node::Answers && self.accounts_node == Node::Answers
    }

    pub fn fees(&self, chain: Chain, level: u32) {
        match chain {
            Chain::Outputs => self.outputs.set_rate(Some(u64::from(level) * 1_000)),
            Chain::Accounts => self.accounts.base(u128::from(level) * net::GWEI),
        }
    }
}
