//! Whatever the order of planning, mining, replacing, undoing and dying: each withdrawal is paid exactly once.

use sqlx::PgPool;

use crate::STRANGERS;
use crate::net::GWEI;
use crate::till::{DEEP, Till};

/// A sequence that is the same for the same seed.
pub struct Dice(pub u64);

impl Dice {
    pub fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

const STEPS: u32 = 60;

/// `TREASURY_SEED` takes another seed.
#[sqlx::test(migrations = "../../migrations")]
async fn each_is_paid_once_whatever_happens(pool: PgPool) {
    let seed = std::env::var("TREASURY_SEED").map_or(31, |text| text.parse::<u64>().unwrap());
    eprintln!("TREASURY_SEED={seed}");
    let mut dice = Dice(seed);
    let mut till = Till::new(&pool).await;
    let (mut ether, mut token) = (Vec::new(), Vec::new());
    // Deposits are deep below what is undone.
    till.mine(DEEP).await;
    let mut since = 0;
    for step in 0..STEPS {
        let amount = u128::from(dice.roll(9) + 1);
        match dice.roll(9) {
            0 => {
                let text = format!("0.{amount:02}{step:02}");
                till.ask(&text, "ETH", &step.to_string(), STRANGERS[0])
                    .await;
                let wei = (amount * 100 + u128::from(step)) * 100_000 * GWEI;
                ether.push(wei);
            }
            1 => {
                let text = format!("{amount}.{step:02}");
                till.ask(&text, "USDT", &step.to_string(), STRANGERS[1])
                    .await;
                token.push((amount * 100 + u128::from(step)) * 10_000);
            }
            2 | 3 => {
                till.mine(1).await;
                since += 1;
            }
            4 => till.net.base(u128::from(dice.roll(30) + 1) * GWEI),
            5 => till.net.forget(),
            6 if since > 0 => {
                // Less deep than what is settled.
                till.net.reorg(1, dice.roll(2) == 0);
                till.sync().await;
                since = 0;
            }
            7 => {
                till.net.deaf(dice.roll(3) == 0);
                till = till.restarted().await;
            }
            _ => till.work_later().await,
        }
        till.world.audit().await;
    }
    till.net.deaf(false);
    till.net.base(GWEI);
    for _ in 0..12 {
        till.due().await;
        till.work_later().await;
        till.mine(DEEP).await;
    }
    let waiting = till
        .texts("SELECT coalesce(last_error, state) FROM withdrawals WHERE state <> 'settled'")
        .await;
    assert!(waiting.is_empty(), "{waiting:?}");
    let settled: Vec<String> = till
        .texts(
            "SELECT c.code || ' ' || w.amount FROM withdrawals w JOIN currencies c ON c.id = w.coin_id
             WHERE w.state = 'settled'",
        )
        .await;
    let sum = |code: &str| -> u128 {
        let of = settled.iter().filter_map(|text| text.strip_prefix(code));
        of.map(|units| units.trim().parse::<u128>().unwrap()).sum()
    };
    let (wei, units) = (
        till.net.received(STRANGERS[0]),
        till.net.received(STRANGERS[1]),
    );
    assert_eq!(wei.len() + units.len(), settled.len());
    assert_eq!(wei.iter().sum::<u128>(), sum("ETH"));
    assert_eq!(units.iter().sum::<u128>() * 100, sum("USDT"));
    for (paid, asked) in [(wei, ether), (units, token)] {
        let mut left = asked;
        for each in paid {
            let place = left.iter().position(|wish| *wish == each);
            left.remove(place.expect("paid what nobody asked for, or twice"));
        }
    }
    till.audit().await;
}
