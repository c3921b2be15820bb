use std::collections::HashMap;

use super::store::Stored;
use super::{Answer, Once, REPLAY_FOR, store};
use crate::ledger::Unit;
use crate::{Error, Result};

/// What came of one key among many.
#[derive(Debug)]
pub(crate) enum Claim {
    /// This unit's to use; also a request without a key.
    Free,
    /// The stored first answer.
    First(Answer),
    /// The request at this place, which comes before, has the same key and the same body.
    SameAs(usize),
    /// The one at this place has the same key and another body.
    OtherThan(usize),
    /// Another unit has the key, or it was used with another body.
    Refused(Error),
}

impl Unit {
    /// Claims the keys of many requests in two round trips; one answer per request, in their order.
    pub(crate) async fn claim_each(&mut self, requests: &[Option<&Once>]) -> Result<Vec<Claim>> {
        let (mut claims, keyed) = within(requests);
        let onces: Vec<&Once> = keyed.iter().map(|(_, once)| *once).collect();
        if onces.is_empty() {
            return Ok(claims);
        }
        let locked = store::try_lock_each(self.conn(), &onces).await?;
        // In a statement of its own: it has to see what the last holder of a lock committed.
        let oldest = self.now() - REPLAY_FOR;
        let mut stored = store::find_each(self.conn(), &onces, oldest).await?;
        let found: HashMap<usize, Found> = keyed
            .into_iter()
            .zip(locked)
            .enumerate()
            .map(|(number, ((place, _), locked))| {
                let found = match stored.remove(&number) {
                    _ if !locked => Found::Taken,
                    Some(first) => Found::Answered(first),
                    None => Found::Nothing,
                };
                (place, found)
            })
            .collect();
        judge(&mut claims, requests, &found);
        Ok(claims)
    }

    /// Stores first answers with their effects; only success is stored.
    pub(crate) async fn remember_each(&mut self, answers: &[(&Once, &Answer)]) -> Result<()> {
        let now = self.now();
        let successes: Vec<(&Once, &Answer)> = answers
            .iter()
            .copied()
            .filter(|(_, answer)| answer.is_success())
            .collect();
        if successes.is_empty() {
            return Ok(());
        }
        store::insert_each(self.conn(), &successes, now).await
    }
}

impl Answer {
    /// The same answer for somebody who asked for the same at the same moment.
    ///
    /// # Errors
    /// [`Error::IdempotencyInProgress`] when it is not one that is repeated.
    pub(crate) fn repeated(&self) -> Result<Self> {
        if !self.is_success() {
            return Err(Error::IdempotencyInProgress);
        }
        Ok(Self {
            replayed: true,
            ..self.clone()
        })
    }

    /// What somebody hears who asked for something else with the key this is the answer to.
    pub(crate) fn why_no_other(&self) -> Error {
        if self.is_success() {
            Error::IdempotencyMismatch
        } else {
            // It has not used the key up.
            Error::IdempotencyInProgress
        }
    }
}

/// What the database says of a key.
enum Found {
    /// Another unit has it.
    Taken,
    Answered(Stored),
    Nothing,
}

/// Judges requests by what the database says of their keys, found by the place of the first with each:
/// an answer that is stored is what all of them are measured by.
fn judge(claims: &mut [Claim], requests: &[Option<&Once>], found: &HashMap<usize, Found>) {
    for (place, (claim, request)) in claims.iter_mut().zip(requests).enumerate() {
        let Some(once) = request else { continue };
        let first = match claim {
            Claim::SameAs(first) | Claim::OtherThan(first) => *first,
            _ => place,
        };
        match found.get(&first) {
            Some(Found::Taken) => *claim = Claim::Refused(Error::IdempotencyInProgress),
            Some(Found::Answered(first)) if first.body_hash != once.body_hash => {
                *claim = Claim::Refused(Error::IdempotencyMismatch);
            }
            Some(Found::Answered(first)) => {
                *claim = Claim::First(Answer {
                    status: first.status,
                    body: first.body.clone(),
                    replayed: true,
                });
            }
            Some(Found::Nothing) | None => {}
        }
    }
}

/// Judges requests that share a key among themselves; of each key the first is left to be claimed.
fn within<'r>(requests: &[Option<&'r Once>]) -> (Vec<Claim>, Vec<(usize, &'r Once)>) {
    let mut claims = Vec::with_capacity(requests.len());
    let mut keyed: Vec<(usize, &'r Once)> = Vec::new();
    let mut firsts: HashMap<String, (usize, [u8; 32])> = HashMap::new();
    for (place, request) in requests.iter().enumerate() {
        let Some(once) = *request else {
            claims.push(Claim::Free);
            continue;
        };
        claims.push(match firsts.get(&once.scope()) {
            Some((first, hash)) if *hash == once.body_hash => Claim::SameAs(*first),
            Some((first, _)) => Claim::OtherThan(*first),
            None => {
                firsts.insert(once.scope(), (place, once.body_hash));
                keyed.push((place, once));
                Claim::Free
            }
        });
    }
    (claims, keyed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn once(key: &str, body: u8) -> Once {
        Once {
            merchant_id: 1,
            method: "POST",
            path: "/api/orders".to_owned(),
            key: key.to_owned(),
            body_hash: [body; 32],
        }
    }

    #[test]
    fn of_each_key_the_first_is_claimed() {
        let (one, again, other_body, two) =
            (once("a", 1), once("a", 1), once("a", 2), once("b", 1));
        let requests = [
            Some(&one),
            None,
            Some(&again),
            Some(&other_body),
            Some(&two),
        ];
        let (claims, keyed) = within(&requests);
        let places: Vec<usize> = keyed.iter().map(|(place, _)| *place).collect();
        assert_eq!(places, [0, 4]);
        assert!(
            matches!(
                claims.as_slice(),
                [
                    Claim::Free,
                    Claim::Free,
                    Claim::SameAs(0),
                    Claim::OtherThan(0),
                    Claim::Free
                ]
            ),
            "{claims:?}"
        );
    }

    /// Whoever has the same key and body as one that is refused for its body is refused for it, too;
    /// what comes with the stored body is answered with what is stored.
    #[test]
    fn all_with_a_key_are_measured_by_its_stored_answer() {
        let (other, again, stored, two) = (once("a", 2), once("a", 2), once("a", 1), once("b", 1));
        let two_again = once("b", 1);
        let requests = [
            Some(&other),
            Some(&again),
            Some(&stored),
            None,
            Some(&two),
            Some(&two_again),
        ];
        let (mut claims, _) = within(&requests);
        let first = Stored {
            body_hash: vec![1; 32],
            status: 201,
            body: b"first".to_vec(),
        };
        let found = HashMap::from([(0, Found::Answered(first)), (4, Found::Taken)]);
        judge(&mut claims, &requests, &found);
        assert!(
            matches!(
                claims.as_slice(),
                [
                    Claim::Refused(Error::IdempotencyMismatch),
                    Claim::Refused(Error::IdempotencyMismatch),
                    Claim::First(Answer {
                        status: 201,
                        replayed: true,
                        ..
                    }),
                    Claim::Free,
                    Claim::Refused(Error::IdempotencyInProgress),
                    Claim::Refused(Error::IdempotencyInProgress),
                ]
            ),
            "{claims:?}"
        );
    }

    #[test]
    fn only_success_uses_a_key_up() {
        let answer = |status| Answer::fresh((status, Vec::new()));
        assert!(matches!(
            answer(201).why_no_other(),
            Error::IdempotencyMismatch
        ));
        assert!(matches!(
            answer(422).why_no_other(),
            Error::IdempotencyInProgress
        ));
    }
}
