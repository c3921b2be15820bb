//! Whatever happens on a chain, in whatever order: reading it again from its birthday gives the same.

use crate::second_server;
use crate::stage::{DEPTH, Stage};

/// Deepest reorganisation; more blocks are there before the first step.
const DEPTH_MAX: u64 = 4;

/// Who is paid on a walk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Paid {
    Addresses,
    /// Each of 60 EUR; every payment is a part, too much, or too late.
    Charges,
}

/// How long a walk is.
#[derive(Debug, Clone, Copy)]
pub struct Walk {
    pub paid: Paid,
    pub steps: u32,
    /// Steps between two comparisons.
    pub compare_every: u32,
}

/// `SplitMix64`: small, good enough to choose steps, the same everywhere.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        usize::try_from((z ^ (z >> 31)) % u64::try_from(sides).unwrap()).unwrap()
    }

    fn of<'a>(&mut self, list: &'a [String]) -> Option<&'a String> {
        (!list.is_empty()).then(|| &list[self.roll(list.len())])
    }
}

/// The seed of a walk; `SCENARIO_SEED` takes another one. It is printed, so that a failure can be played
/// again.
pub fn seed() -> u64 {
    let seed =
        std::env::var("SCENARIO_SEED").map_or(20_261_129, |text| text.parse::<u64>().unwrap());
    eprintln!("SCENARIO_SEED={seed}");
    seed
}

/// Random steps with this seed: those that the chain has.
pub async fn walk(stage: &mut Stage, seed: u64, walk: Walk) {
    let mut dice = Dice(seed);
    let mut addresses = Vec::new();
    for name in ["one", "two", "three"] {
        addresses.push(match walk.paid {
            Paid::Addresses => stage.address(name).await,
            Paid::Charges => charge(stage).await,
        });
    }
    stage.mine(u32::try_from(DEPTH_MAX).unwrap() + DEPTH).await;
    // Those the network has forgotten, and may be told again.
    let mut gone: Vec<String> = Vec::new();
    let (leaves_out, forgets) = (stage.puppet.leaves_out(), stage.puppet.forgets_freely());
    for step in 1..=walk.steps {
        let depth = u32::try_from(dice.roll(usize::try_from(DEPTH_MAX).unwrap()) + 1).unwrap();
        let waiting = stage.txids(None).await;
        let recent = stage.txids(Some(depth)).await;
        let address = dice.of(&addresses).cloned().unwrap();
        let raw = stage.raw(depth);
        let choice = dice.roll(12);
        eprintln!("step {step}: {choice}, depth {depth}");
        match (choice, dice.of(&waiting), dice.of(&recent)) {
            (0..=2, ..) => drop(stage.puppet.pay(&address, raw).await),
            (3 | 4, ..) => stage.puppet.mine(depth).await,
            (5, Some(txid), _) => {
                stage.puppet.replace(txid, Some(&address), raw).await;
            }
            (6, Some(txid), _) => {
                stage.puppet.replace(txid, None, raw).await;
            }
            (7, Some(txid), _) => stage.puppet.mine_double_spend(txid).await,
            (8, Some(txid), _) if forgets => {
                stage.puppet.forget(txid).await;
                gone.push(txid.clone());
            }
            (9, _, Some(txid)) if leaves_out => {
                stage.puppet.reorg_without(depth, txid).await;
                gone.push(txid.clone());
            }
            (10, _, Some(txid)) if leaves_out => {
                stage.puppet.reorg_against(depth, txid).await;
            }
            (11, ..) if forgets && !gone.is_empty() => {
                let txid = gone.swap_remove(dice.roll(gone.len()));
                stage.puppet.bring_back(&txid).await;
            }
            _ => stage.puppet.reorg(depth).await,
        }
        // The next step chooses from what we know.
        stage.follow().await;
        if step % walk.compare_every == 0 {
            stage.compare_with_a_rescan().await;
        }
    }
    stage.compare_with_a_rescan().await;
    if walk.paid == Paid::Addresses {
        second_server::compare(stage, &addresses[0]).await;
    }
}

/// The address of a charge whose payer picked the chain's coin.
async fn charge(stage: &Stage) -> String {
    let code = stage.puppet.code();
    stage
        .world
        .set_rate(code, "EUR", stage.puppet.price())
        .await;
    let id = stage.world.picked("60.00", "EUR", code).await;
    stage.world.view(&id).await.payment.unwrap().address
}
