use std::collections::HashMap;

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
        for (number, ((place, once), locked)) in keyed.into_iter().zip(locked).enumerate() {
            let claim = match stored.remove(&number) {
                _ if !locked => Claim::Refused(Error::IdempotencyInProgress),
                Some(first) if first.body_hash != once.body_hash => {
                    Claim::Refused(Error::IdempotencyMismatch)
                }
                Some(first) => Claim::First(Answer {
                    status: first.status,
                    body: first.body,
                    replayed: true,
                }),
                None => Claim::Free,
            };
            if let Some(slot) = claims.get_mut(place) {
                *slot = claim;
            }
        }
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
            // The first may yet be refused, and then it does not use the key up.
            Some(_) => Claim::Refused(Error::IdempotencyInProgress),
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
                    Claim::Refused(Error::IdempotencyInProgress),
                    Claim::Free
                ]
            ),
            "{claims:?}"
        );
    }
}
