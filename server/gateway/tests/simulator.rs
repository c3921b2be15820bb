//! One seeded loop over many charges: random payers, miners, double spenders, reorganisations, rate
//! and clock moves, clicks and policies. After every few steps the books must be clean and every
//! charge must be what its receipts say. A failing seed is printed; `SIMULATOR_SEED` replays it.
#![allow(clippy::unwrap_used)]

mod support;

use domain::charge::{ReceiptState, Status};
use sqlx::PgPool;
use support::World;

/// Steps per seed.
const STEPS: u32 = 120;

/// SplitMix64: small, good enough to choose steps, the same everywhere.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % sides
    }

    fn of<'a, T>(&mut self, list: &'a [T]) -> Option<&'a T> {
        let sides = u64::try_from(list.len()).unwrap();
        (sides > 0).then(|| &list[usize::try_from(self.roll(sides)).unwrap()])
    }
}

struct Run {
    world: World,
    dice: Dice,
    charges: Vec<String>,
    txids: Vec<(String, &'static str)>,
}

const COINS: [&str; 3] = ["BTC", "LTC", "ETH"];

impl Run {
    /// One random thing happens. Refusals are part of life; only broken books are failures.
    async fn step(&mut self) {
        let gateway = self.world.gateway.clone();
        let merchant = self.world.merchant;
        let coin = *self.dice.of(&COINS).unwrap();
        let charge = self.dice.of(&self.charges).cloned();
        match (self.dice.roll(16), charge) {
            (0..=1, _) | (_, None) => {
                let cents = self.dice.roll(9_000) + 100;
                let amount = format!("{}.{:02}", cents / 100, cents % 100);
                self.charges.push(self.world.charge(&amount, "EUR").await);
            }
            (2..=3, Some(id)) => drop(gateway.choose_method(&id, coin).await),
            (4..=7, Some(id)) => self.pay(&id).await,
            (8..=9, _) => self.world.mine(coin, 1).await,
            (10, Some(id)) => drop(gateway.requote(&id).await),
            (11, _) => {
                let seconds = [30, 300, 900, 90_000][usize::try_from(self.dice.roll(4)).unwrap()];
                gateway.advance(seconds).await.unwrap();
            }
            (12, _) => {
                let euros = 20_000 + self.dice.roll(60_000);
                self.world.set_rate("BTC", "EUR", &euros.to_string()).await;
            }
            (13, _) => {
                if let Some((txid, _)) = self.dice.of(&self.txids).cloned() {
                    drop(gateway.sandbox_replace(&txid, None, None).await);
                }
            }
            (14, _) => {
                let depth = u32::try_from(self.dice.roll(3) + 1).unwrap();
                let victim = self.dice.of(&self.txids).cloned();
                let lost: Vec<String> = victim
                    .filter(|(_, on)| *on == coin && self.dice.roll(2) == 0)
                    .map(|(txid, _)| txid)
                    .into_iter()
                    .collect();
                drop(gateway.sandbox_reorg(Some(coin), depth, &lost).await);
            }
            (15, Some(id)) => {
                let actor = "simulator".to_owned();
                if self.dice.roll(2) == 0 {
                    drop(
                        gateway
                            .accept_charge(merchant, &id, actor, None, |_| (200, vec![]))
                            .await,
                    );
                } else {
                    drop(
                        gateway
                            .cancel_charge(merchant, &id, actor, None, |_| (200, vec![]))
                            .await,
                    );
                }
            }
            (other, Some(_)) => panic!("no step {other}"),
        }
    }

    /// Exactly, half, or too much, in the picked coin, whatever the clock says.
    async fn pay(&mut self, id: &str) {
        let Some(payment) = self.world.view(id).await.payment else {
            return;
        };
        let coin = COINS
            .iter()
            .find(|coin| payment.coin.code.as_str() == **coin)
            .unwrap();
        let due = payment.due.units();
        let units = match self.dice.roll(4) {
            0 => due / 2,
            1 => due + due / 3,
            _ => payment.left.units(),
        };
        let amount = domain::money::Money::from_units(units, payment.coin);
        if !amount.is_positive() {
            return;
        }
        let gateway = &self.world.gateway;
        let paid = gateway
            .sandbox_pay(&payment.address, &amount.shortest(), Some(coin), None)
            .await;
        self.txids.push((paid.unwrap(), coin));
    }

    /// Every charge is what its receipts say.
    async fn check(&self) {
        self.world.audit().await;
        for id in &self.charges {
            let view = self.world.view(id).await;
            let live = view
                .receipts
                .iter()
                .filter(|receipt| receipt.state.is_live())
                .count();
            let last = view
                .receipts
                .iter()
                .filter(|r| r.state == ReceiptState::Final)
                .count();
            match view.status {
                Status::Created => assert_eq!(live, 0, "{id}"),
                Status::Processing => assert!(live > 0, "{id}"),
                Status::Paid => {
                    let credited = view.credited.unwrap();
                    assert!(credited <= view.amount && credited.is_positive(), "{id}");
                }
                Status::Expired | Status::Underpaid | Status::Cancelled | Status::Failed => {
                    // Nobody's money is out of sight.
                    assert_eq!(view.needs_attention, live > 0, "{id} {:?}", view.status);
                    assert!(view.refundable.is_some() || last == 0, "{id}");
                }
                Status::Pending => {}
            }
        }
    }
}

async fn run(pool: PgPool, seed: u64) {
    let mut run = Run {
        world: World::new(&pool).await,
        dice: Dice(seed),
        charges: Vec::new(),
        txids: Vec::new(),
    };
    for step in 0..STEPS {
        run.step().await;
        if step % 10 == 9 {
            run.check().await;
        }
    }
    run.check().await;
}

macro_rules! seeds {
    ($($name:ident: $seed:literal),+ $(,)?) => {$(
        #[sqlx::test(migrations = "../../migrations")]
        async fn $name(pool: PgPool) {
            let seed = std::env::var("SIMULATOR_SEED").ok().and_then(|s| s.parse().ok()).unwrap_or($seed);
            println!("SIMULATOR_SEED={seed}");
            run(pool, seed).await;
        }
    )+};
}

seeds! { seed_1: 1, seed_2: 2, seed_3: 3, seed_4: 4, seed_5: 5, seed_6: 6, seed_7: 7, seed_8: 8 }
