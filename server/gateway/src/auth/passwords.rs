use std::collections::BTreeSet;
use std::time::Duration;

use argon2::{Algorithm, Argon2, Params, PasswordHash, PasswordHasher, PasswordVerifier, Version};
use tokio::sync::Semaphore;

use crate::{Error, Result};

/// Shortest password, characters (ASVS 5.0, 6.2.1).
pub const PASSWORD_CHARS_MIN: usize = 12;

/// Longest password, characters: bounds what a guess costs us.
pub const PASSWORD_CHARS_MAX: usize = 128;

/// Argon2id cost: the least of OWASP's recommendations with a parallelism of one.
const MEMORY_KIB: u32 = 19_456;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// A hash nobody has a password for, at the cost of real ones: an unknown e-mail address takes as
/// long as a known one.
pub(super) const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$dSrBraA6GCYGiyMyr61m1g$DDtpG0Fen9Ev+NXP8tOI5BHmYljD6dAp7d5264gD8nM";

/// What guesses are made of. The rest of a password has to be worth something without them.
const GUESSED_FIRST: [&str; 14] = [
    "password",
    "passw0rd",
    "exchequer",
    "qwertyuiop",
    "asdfghjkl",
    "zxcvbnm",
    "qwerty",
    "1q2w3e4r5t6y",
    "1qaz2wsx3edc",
    "1234567890",
    "123456",
    "iloveyou",
    "letmein",
    "welcome",
];

/// Distinct characters that have to be left.
const DISTINCT_CHARS_MIN: usize = 5;

/// Hashing takes a core and 19 MiB for some tens of milliseconds; two at a time leave room for
/// everything else.
static HASHING: Semaphore = Semaphore::const_new(2);

/// How long somebody waits for its turn before we say that there is too much to do.
const TURN_WAIT_MAX: Duration = Duration::from_secs(10);

/// What checking a password came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Wrong,
    Right,
    /// Right, but hashed at a lower cost than today's.
    RightButCheap,
}

/// Judges a password somebody chooses and hashes it.
///
/// # Errors
/// [`Error::Invalid`] on `field`.
pub(crate) async fn hash_new(field: &str, password: &str) -> Result<String> {
    check(field, password)?;
    hash(password).await
}

/// Hashes without judging.
pub(super) async fn hash(password: &str) -> Result<String> {
    let password = password.to_owned();
    in_turn(move || hash_now(&password)).await
}

/// Compares with a stored hash. A password longer than any that is accepted is wrong unseen.
pub(super) async fn verify(password: &str, stored: &str) -> Result<Verdict> {
    if password.chars().count() > PASSWORD_CHARS_MAX {
        return Ok(Verdict::Wrong);
    }
    let (password, stored) = (password.to_owned(), stored.to_owned());
    in_turn(move || verify_now(&password, &stored)).await
}

/// Runs off the async threads. The permit goes along, so that a caller who gives up does not make
/// room for a third hash.
async fn in_turn<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    let permit = tokio::time::timeout(TURN_WAIT_MAX, HASHING.acquire())
        .await
        .map_err(|_| Error::overloaded())?
        .map_err(Error::internal)?;
    let hashing = tokio::task::spawn_blocking(move || {
        let _held_to_the_end = permit;
        work()
    });
    hashing.await.map_err(Error::internal)?
}

fn hasher() -> Result<Argon2<'static>> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None).map_err(Error::internal)?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

fn hash_now(password: &str) -> Result<String> {
    let hash = hasher()?
        .hash_password(password.as_bytes())
        .map_err(Error::internal)?;
    Ok(hash.to_string())
}

fn verify_now(password: &str, stored: &str) -> Result<Verdict> {
    let stored = PasswordHash::new(stored).map_err(Error::internal)?;
    match hasher()?.verify_password(password.as_bytes(), &stored) {
        Ok(()) if is_cheap(&stored)? => Ok(Verdict::RightButCheap),
        Ok(()) => Ok(Verdict::Right),
        Err(argon2::password_hash::Error::PasswordInvalid) => Ok(Verdict::Wrong),
        Err(error) => Err(Error::internal(error)),
    }
}

fn is_cheap(stored: &PasswordHash) -> Result<bool> {
    let params = Params::try_from(stored).map_err(Error::internal)?;
    Ok(params.m_cost() < MEMORY_KIB || params.t_cost() < PASSES)
}

/// Length counts in characters; there are no rules about which ones.
fn check(field: &str, password: &str) -> Result<()> {
    let chars = password.chars().count();
    if chars < PASSWORD_CHARS_MIN {
        let message = format!("must have at least {PASSWORD_CHARS_MIN} characters");
        return Err(Error::invalid(field, message));
    }
    if chars > PASSWORD_CHARS_MAX {
        let message = format!("must have at most {PASSWORD_CHARS_MAX} characters");
        return Err(Error::invalid(field, message));
    }
    let rest = GUESSED_FIRST
        .iter()
        .fold(password.to_lowercase(), |rest, guessed| {
            rest.replace(guessed, "")
        });
    if rest.chars().collect::<BTreeSet<char>>().len() < DISTINCT_CHARS_MIN {
        return Err(Error::invalid(
            field,
            "must not be one that is easily guessed",
        ));
    }
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use futures::future::join_all;

    use super::*;

    const GOOD: &str = "correct horse battery";

    #[test]
    fn the_stored_text_names_algorithm_and_cost() {
        let stored = hash_now(GOOD).unwrap();
        assert!(
            stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
            "{stored}"
        );
        assert_ne!(stored, hash_now(GOOD).unwrap(), "salted");
    }

    #[test]
    fn a_password_matches_itself_alone() {
        let long = "ü:".repeat(64);
        for password in [GOOD, "a:b:c:d:e:f:g:h", long.as_str()] {
            let stored = hash_now(password).unwrap();
            assert_eq!(verify_now(password, &stored).unwrap(), Verdict::Right);
            let shorter = password.get(..password.len() - 1).unwrap_or_default();
            assert_eq!(
                verify_now(shorter, &stored).unwrap(),
                Verdict::Wrong,
                "{shorter}"
            );
        }
    }

    /// The thread that hashing is asked for on goes on with other requests.
    #[tokio::test]
    async fn hashing_keeps_nobody_else_waiting() {
        let hashing = tokio::spawn(hash(GOOD));
        let mut turns = 0;
        while !hashing.is_finished() {
            tokio::task::yield_now().await;
            turns += 1;
        }
        hashing.await.unwrap().unwrap();
        assert!(turns > 10, "{turns}");
    }

    #[tokio::test]
    async fn however_many_sign_in_two_are_hashed_at_a_time() {
        static RUNNING: AtomicUsize = AtomicUsize::new(0);
        static MOST: AtomicUsize = AtomicUsize::new(0);
        let counted = || {
            let running = RUNNING.fetch_add(1, Ordering::SeqCst) + 1;
            MOST.fetch_max(running, Ordering::SeqCst);
            let hashed = hash_now(GOOD);
            RUNNING.fetch_sub(1, Ordering::SeqCst);
            hashed
        };
        for hashed in join_all((0..8).map(|_| in_turn(counted))).await {
            hashed.unwrap();
        }
        assert!((1..=2).contains(&MOST.load(Ordering::SeqCst)), "{MOST:?}");
    }

    #[test]
    fn nobody_has_a_hash_as_dear_as_everybody_elses() {
        let nobody = PasswordHash::new(NOBODY).unwrap();
        let somebody = PasswordHash::new(&hash_now(GOOD).unwrap()).unwrap();
        assert_eq!(
            Params::try_from(&nobody).unwrap(),
            Params::try_from(&somebody).unwrap()
        );
        assert_eq!(verify_now("", NOBODY).unwrap(), Verdict::Wrong);
        assert_eq!(verify_now(GOOD, NOBODY).unwrap(), Verdict::Wrong);
    }

    #[test]
    fn a_hash_of_a_lower_cost_is_told_apart() {
        let cheap = Argon2::from(Params::new(8_192, 1, 1, None).unwrap());
        let stored = cheap.hash_password(GOOD.as_bytes()).unwrap().to_string();
        assert_eq!(verify_now(GOOD, &stored).unwrap(), Verdict::RightButCheap);
        assert_eq!(
            verify_now("wrong horse battery", &stored).unwrap(),
            Verdict::Wrong
        );
    }

    #[test]
    fn what_is_no_hash_is_an_error() {
        assert!(verify_now(GOOD, "").is_err());
        assert!(verify_now(GOOD, GOOD).is_err());
    }

    #[track_caller]
    fn refused(password: &str, why: &str) {
        let Err(Error::Invalid(fields)) = check("password", password) else {
            panic!("accepted: {password}");
        };
        let first = fields.first().unwrap();
        assert_eq!(first.field, "password");
        assert!(first.message.contains(why), "{}", first.message);
    }

    #[test]
    fn length_is_counted_in_characters() {
        refused("correcthors", "at least 12");
        refused("ünüçødéñßâê", "at least 12");
        assert!(check("password", "ünüçødéñßâêî").is_ok());
        let longest = "abcdefgh".repeat(16);
        assert!(check("password", &longest).is_ok());
        refused(&format!("{longest}i"), "at most 128");
    }

    #[test]
    fn the_first_guesses_are_refused() {
        for guessed in [
            "password1234",
            "Password123456",
            "qwertyuiop123",
            "111111111111",
            "1q2w3e4r5t6y",
            "exchequer123",
            "letmeinletmein",
            "abababababab",
        ] {
            refused(guessed, "easily guessed");
        }
    }
}
