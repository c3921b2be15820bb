//! Which of the withdrawals that wait share the next transaction.
//!
//! Invariant: one that cannot be paid keeps nobody else from being paid; those that were asked for
//! earlier come first.

use signing::{Payment, Plan, SelectionError};

/// A withdrawal that waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wish {
    pub(super) operation_id: i64,
    pub(super) payment: Payment,
}

/// Who rides, and who waits on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Chosen {
    /// The transaction, and the operations it pays for; `None` when it would pay nobody.
    pub(super) plan: Option<(Plan, Vec<i64>)>,
    pub(super) left: Vec<(i64, SelectionError)>,
}

/// Chooses among `wishes`, which come in the order they were asked for; `select` plans a transaction
/// that makes all the payments it is given.
pub(super) fn choose(
    wishes: Vec<Wish>,
    select: impl Fn(&[Payment]) -> Result<Plan, SelectionError>,
) -> Chosen {
    let all: Vec<Payment> = wishes.iter().map(|wish| wish.payment.clone()).collect();
    if let Ok(plan) = select(&all) {
        let riders = wishes.iter().map(|wish| wish.operation_id).collect();
        return Chosen {
            plan: Some((plan, riders)),
            left: Vec::new(),
        };
    }
    let (mut riders, mut payments) = (Vec::new(), Vec::new());
    let (mut plan, mut left) = (None, Vec::new());
    for wish in wishes {
        payments.push(wish.payment);
        match select(&payments) {
            Ok(larger) => {
                plan = Some(larger);
                riders.push(wish.operation_id);
            }
            Err(error) => {
                payments.pop();
                left.push((wish.operation_id, error));
            }
        }
    }
    Chosen {
        plan: plan.map(|plan| (plan, riders)),
        left,
    }
}

#[cfg(test)]
mod tests {
    use bitcoin::ScriptBuf;

    use super::*;

    fn wish(operation_id: i64, satoshi: u64) -> Wish {
        Wish {
            operation_id,
            payment: Payment {
                script: ScriptBuf::new(),
                satoshi,
                reference: super::super::reference(operation_id),
            },
        }
    }

    /// Plans that are only their fee: enough to see who rides.
    fn within(limit: u64) -> impl Fn(&[Payment]) -> Result<Plan, SelectionError> {
        move |payments| {
            let asked: u64 = payments.iter().map(|payment| payment.satoshi).sum();
            if payments.is_empty() {
                return Err(SelectionError::NothingToPay);
            }
            match asked.checked_sub(limit + 1) {
                Some(over) => Err(SelectionError::NotEnough { missing: over + 1 }),
                None => Ok(Plan {
                    inputs: Vec::new(),
                    outputs: Vec::new(),
                    change_position: None,
                    fee: asked,
                    weight: 0,
                }),
            }
        }
    }

    #[track_caller]
    fn check(wishes: &[(i64, u64)], limit: u64, riders: &[i64], left: &[i64]) {
        let wishes = wishes.iter().map(|(id, satoshi)| wish(*id, *satoshi));
        let chosen = choose(wishes.collect(), within(limit));
        let (plan, rides) = chosen.plan.unzip();
        assert_eq!(plan.is_some(), !riders.is_empty());
        assert_eq!(rides.unwrap_or_default(), riders);
        let waiting: Vec<i64> = chosen.left.iter().map(|(id, _)| *id).collect();
        assert_eq!(waiting, left);
    }

    #[test]
    fn everybody_rides_when_there_is_enough() {
        check(&[(1, 10), (2, 20), (3, 30)], 60, &[1, 2, 3], &[]);
    }

    #[test]
    fn what_is_too_much_waits_and_those_behind_it_ride() {
        check(&[(1, 10), (2, 80), (3, 30)], 60, &[1, 3], &[2]);
        check(&[(1, 80), (2, 20)], 60, &[2], &[1]);
    }

    #[test]
    fn nobody_rides_when_nobody_can_be_paid() {
        check(&[(1, 80), (2, 90)], 60, &[], &[1, 2]);
        check(&[], 60, &[], &[]);
    }
}
