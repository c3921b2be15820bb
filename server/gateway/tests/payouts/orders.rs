//! Property: in whatever order withdrawals are asked for, sent, forgotten, replaced, mined and
//! reorganised, with crashes in between, everybody is paid once and the books say so.

use bitcoin::WPubkeyHash;
use bitcoin::hashes::Hash as _;
use bitcoin::{ScriptBuf, consensus};
use gateway::chain::address::{output_address, params};
use gateway::payouts::SignerSetting;
use sqlx::PgPool;

use crate::till::{COIN, Till, rules};

const STEPS: usize = 60;
const BY: &str = "admin@demo.example";

/// Numbers that look like chance and are the same on every run (Knuth's MMIX generator).
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }
}

struct Story {
    till: Till,
    dice: Dice,
    /// Address and satoshi of each withdrawal.
    asked: Vec<(String, u64)>,
}

#[derive(sqlx::FromRow)]
struct Version {
    payout_id: i64,
    txid: String,
    raw: Option<Vec<u8>>,
    is_open: bool,
}

impl Story {
    async fn versions(&self) -> Vec<Version> {
        sqlx::query_as(
            "SELECT x.payout_id, x.txid, x.raw, p.confirmed_tx_id IS NULL AS is_open
             FROM payout_txs x JOIN payouts p ON p.id = x.payout_id ORDER BY x.id",
        )
        .fetch_all(&self.till.pool)
        .await
        .unwrap()
    }

    async fn ask(&mut self) {
        let number = u8::try_from(self.asked.len()).unwrap();
        let script = ScriptBuf::new_p2wpkh(&WPubkeyHash::from_byte_array([number + 1; 20]));
        let address = output_address(params("BTC").unwrap(), script.as_bytes()).unwrap();
        let satoshi = 100_000 + self.dice.below(900_000);
        let amount = format!("0.{satoshi:08}");
        self.till.ask(&amount, &number.to_string(), &address).await;
        self.asked.push((address, satoshi));
    }

    /// Any transaction that was ever signed for a payout that is not in the chain.
    async fn mine_one(&mut self) {
        let versions = self.versions().await;
        let minable: Vec<Vec<u8>> = versions
            .into_iter()
            .filter(|version| version.is_open)
            .filter_map(|version| version.raw)
            .filter(|raw| self.till.net.is_minable(raw))
            .collect();
        if minable.is_empty() {
            return;
        }
        let chosen = self.dice.below(u64::try_from(minable.len()).unwrap());
        let raw = minable[usize::try_from(chosen).unwrap()].clone();
        self.till.net.mine_raw(&[raw]);
        self.till.sync().await;
    }

    async fn bump(&mut self) {
        let versions = self.versions().await;
        if versions.is_empty() {
            return;
        }
        let chosen = self.dice.below(u64::try_from(versions.len()).unwrap());
        let payout = versions[usize::try_from(chosen).unwrap()].payout_id;
        let rate = 2_000 + self.dice.below(8_000);
        self.till.net.set_rate(Some(rate));
        // Most are in the chain already, or cannot pay more.
        let _ = self.till.world.gateway.bump_payout(payout, BY).await;
    }

    fn forget(&mut self) {
        let waiting = self.till.net.mempool_txs();
        if let Some(tx) = waiting.first() {
            self.till.net.forget(&tx.compute_txid().to_string());
        }
    }

    /// The last block is another one, with or without what was in it.
    async fn reorganise(&mut self) {
        let txs = self.till.net.lose_tip();
        let kept: Vec<Vec<u8>> = if self.dice.below(2) == 0 {
            txs.iter().map(consensus::serialize).collect()
        } else {
            Vec::new()
        };
        self.till.net.mine_raw(&kept);
        self.till.net.mine_raw(&[]);
        self.till.sync().await;
    }

    /// As it stands when a process dies after sending and before noting it.
    async fn crash(&mut self) {
        for query in [
            "UPDATE payout_txs SET state = 'signed', next_attempt_at = now() WHERE state = 'broadcast'",
            "UPDATE withdrawals SET state = 'built' WHERE state = 'broadcast'",
        ] {
            sqlx::query(query).execute(&self.till.pool).await.unwrap();
        }
        self.restart().await;
    }

    async fn restart(&mut self) {
        self.till.crash().await;
        let (pool, net) = (self.till.pool.clone(), self.till.net.clone());
        self.till = Till::on(&pool, net, SignerSetting::InProcess, rules()).await;
    }

    async fn step(&mut self) {
        match self.dice.below(12) {
            0 | 1 => self.ask().await,
            2 | 3 => self.till.work().await,
            4 => self.till.mine(1).await,
            5 => self.mine_one().await,
            6 | 7 => self.bump().await,
            8 => self.forget(),
            9 => self.reorganise().await,
            10 => self.crash().await,
            _ => self.restart().await,
        }
    }

    /// Whatever is left gets its time.
    async fn end(&mut self) {
        for _ in 0..12 {
            for view in self.till.world.operations().await {
                if view.needs_attention {
                    let gateway = &self.till.world.gateway;
                    let _ = gateway.rebroadcast_withdrawal(view.id, BY).await;
                }
            }
            self.till.work_later().await;
            self.till.mine(1).await;
        }
        self.till.sync().await;
    }

    async fn check(&self) {
        let states = self.till.withdrawals().await;
        assert_eq!(states.len(), self.asked.len());
        assert!(states.iter().all(|state| state == "settled"), "{states:?}");
        for (address, satoshi) in &self.asked {
            assert_eq!(self.till.net.received(address), *satoshi, "{address}");
        }
        for version in self.versions().await {
            assert!(!version.is_open, "{}", version.txid);
        }
        self.till.audit().await;
    }
}

async fn tell(pool: &PgPool, seed: u64) {
    let coins = [COIN / 20; 20];
    let till = Till::with(pool, SignerSetting::InProcess, rules(), &coins).await;
    let mut story = Story {
        till,
        dice: Dice(seed),
        asked: Vec::new(),
    };
    story.ask().await;
    for _ in 0..STEPS {
        story.step().await;
        story.till.audit_books().await;
    }
    story.end().await;
    story.check().await;
}

macro_rules! stories {
    ($($name:ident: $seed:literal),+ $(,)?) => {
        $(#[sqlx::test(migrations = "../../migrations")]
        async fn $name(pool: PgPool) {
            tell(&pool, $seed).await;
        })+
    };
}

stories!(
    everybody_is_paid_once_1: 1,
    everybody_is_paid_once_2: 20_261_129,
    everybody_is_paid_once_3: 3_735_928_559,
    everybody_is_paid_once_4: 88_172_645_463_325_252,
);
