use std::collections::BTreeMap;

use bitcoin::hashes::Hash as _;
use proptest::prelude::*;
use time::macros::datetime;

use super::*;

const NOON: OffsetDateTime = datetime!(2030-01-31 12:00 UTC);

fn txid(tag: u8) -> Txid {
    Txid::from_byte_array([tag; 32])
}

fn outpoints(tags: &[u8]) -> BTreeSet<OutPoint> {
    tags.iter()
        .map(|tag| OutPoint::new(txid(*tag), 0))
        .collect()
}

/// Lets a transaction leave; returns what it added.
fn leave(spent: &mut Spent, tx: u8, inputs: &[u8], satoshi: u64, now: OffsetDateTime) -> u64 {
    let outpoints = outpoints(inputs);
    let leaving = Leaving {
        unsigned_txid: txid(tx),
        outpoints: &outpoints,
        satoshi,
    };
    let (after, added) = spent.with(&leaving, now).unwrap();
    *spent = after;
    added
}

#[test]
fn days_are_those_of_utc() {
    let late = datetime!(2030-02-01 00:30 +1);
    assert_eq!(Day::of(late), Day::of(NOON));
    assert!(Day::of(late) < Day::of(datetime!(2030-02-01 0:00 UTC)));
    assert!(Day::of(datetime!(2030-09-30 0:00 UTC)) < Day::of(datetime!(2030-10-01 0:00 UTC)));
}

#[test]
fn what_leaves_adds_up_by_day() {
    let mut spent = Spent::default();
    assert_eq!(leave(&mut spent, 1, &[1], 100, NOON), 100);
    assert_eq!(leave(&mut spent, 2, &[2], 50, NOON), 50);
    let tomorrow = NOON + Duration::days(1);
    assert_eq!(leave(&mut spent, 3, &[3], 7, tomorrow), 7);
    assert_eq!(spent.on(&Day::of(NOON)), 150);
    assert_eq!(spent.on(&Day::of(tomorrow)), 7);
}

#[test]
fn the_same_transaction_counts_once() {
    let mut spent = Spent::default();
    leave(&mut spent, 1, &[1, 2], 100, NOON);
    assert_eq!(leave(&mut spent, 1, &[1, 2], 100, NOON), 0);
    assert_eq!(
        leave(&mut spent, 1, &[1, 2], 100, NOON + Duration::days(3)),
        0
    );
    assert_eq!(spent.on(&Day::of(NOON)), 100);
    // A higher fee for the same outputs: the amount it spends was told differently.
    assert_eq!(
        leave(&mut spent, 1, &[1, 2], 130, NOON + Duration::days(3)),
        30
    );
}

#[test]
fn a_replacement_counts_its_increase() {
    let mut spent = Spent::default();
    leave(&mut spent, 1, &[1], 100, NOON);
    assert_eq!(leave(&mut spent, 2, &[1, 2], 130, NOON), 30);
    assert_eq!(leave(&mut spent, 3, &[1], 120, NOON), 0);
    assert_eq!(spent.on(&Day::of(NOON)), 130);
}

#[test]
fn what_excludes_only_one_of_them_counts_in_full() {
    let mut spent = Spent::default();
    leave(&mut spent, 1, &[1], 100, NOON);
    leave(&mut spent, 2, &[1, 2], 100, NOON);
    // It conflicts with the second and not with the first: both can be mined.
    assert_eq!(leave(&mut spent, 3, &[2], 100, NOON), 100);
}

#[test]
fn a_claim_is_forgotten_after_the_network_has() {
    let mut spent = Spent::default();
    leave(&mut spent, 1, &[1], 100, NOON);
    let kept = NOON + Duration::days(DAYS_KEPT);
    let mut early = spent.clone();
    assert_eq!(leave(&mut early, 1, &[1], 100, kept), 0);
    let late = kept + Duration::days(1);
    assert_eq!(leave(&mut spent, 1, &[1], 100, late), 100);
    assert_eq!(spent.claims.len(), 1);
}

#[test]
fn a_clock_that_goes_back_stops_everything() {
    let mut spent = Spent::default();
    leave(&mut spent, 1, &[1], 100, NOON);
    let outpoints = outpoints(&[2]);
    let leaving = Leaving {
        unsigned_txid: txid(2),
        outpoints: &outpoints,
        satoshi: 1,
    };
    assert_eq!(
        spent.with(&leaving, NOON - Duration::days(1)),
        Err(ClockWentBack)
    );
    assert!(spent.with(&leaving, NOON - Duration::hours(12)).is_ok());
}

#[test]
fn it_survives_being_stored() {
    let mut spent = Spent::default();
    leave(&mut spent, 1, &[1, 2], 100, NOON);
    leave(&mut spent, 2, &[2], 130, NOON);
    let json = serde_json::to_string(&spent).unwrap();
    assert_eq!(serde_json::from_str::<Spent>(&json).unwrap(), spent);
    assert!(serde_json::from_str::<Spent>(r#"{"claim":[]}"#).is_err());
}

/// The most that can be mined of transactions with their inputs: the best set without two that
/// share an input.
fn most(transactions: &BTreeMap<u8, (BTreeSet<u8>, u64)>) -> u64 {
    let all: Vec<&(BTreeSet<u8>, u64)> = transactions.values().collect();
    let sets = 0_u32..(1 << all.len());
    let value = |set: u32| {
        let mut used = BTreeSet::new();
        let mut sum = 0_u64;
        for (place, (inputs, satoshi)) in all.iter().enumerate() {
            if set & (1 << place) == 0 {
                continue;
            }
            if !inputs.is_disjoint(&used) {
                return 0;
            }
            used.extend(inputs);
            sum += *satoshi;
        }
        sum
    };
    sets.map(value).max().unwrap_or(0)
}

proptest! {
    /// However transactions conflict, no more can be mined than was counted.
    #[test]
    fn never_less_is_counted_than_can_be_mined(
        script in prop::collection::vec(
            (0_u8..8, prop::collection::btree_set(0_u8..6, 1..4), 1_u64..1_000),
            1..20,
        ),
    ) {
        let mut spent = Spent::default();
        let mut signed: BTreeMap<u8, (BTreeSet<u8>, u64)> = BTreeMap::new();
        for (tx, inputs, satoshi) in script {
            // The id of a transaction stands for its inputs and amounts.
            let (inputs, satoshi) = signed.entry(tx).or_insert((inputs, satoshi)).clone();
            let tags: Vec<u8> = inputs.iter().copied().collect();
            leave(&mut spent, tx, &tags, satoshi, NOON);
            prop_assert!(spent.on(&Day::of(NOON)) >= most(&signed));
        }
        let everything: u64 = signed.values().map(|(_, satoshi)| satoshi).sum();
        prop_assert!(spent.on(&Day::of(NOON)) <= everything);
    }
}
