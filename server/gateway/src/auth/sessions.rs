use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use time::{Duration, OffsetDateTime};

use super::passwords::{self, Verdict};
use super::{Role, digest, store};
use crate::{Error, Gateway, Result};

/// Bytes of a session token: 256 bits nobody can guess.
const TOKEN_BYTES: usize = 32;

/// Characters those take in base64url.
const TOKEN_CHARS: usize = 43;

/// Without a request for so long a session is over.
const IDLE_MAX: Duration = Duration::minutes(30);
const IDLE_MAX_OF_ADMIN: Duration = Duration::minutes(15);

/// However busy, a session is over after this.
const LIFE_MAX: Duration = Duration::hours(12);

/// How exactly the last request is known.
const LAST_SEEN_EVERY: Duration = Duration::minutes(1);

/// Kept of a browser's description of itself, characters.
const USER_AGENT_CHARS_MAX: usize = 255;

/// The value of a session cookie, known to the browser alone: only its hash is stored.
#[derive(Clone)]
pub struct SessionToken(pub String);

impl std::fmt::Debug for SessionToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SessionToken(..)")
    }
}

/// Somebody who is signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionUser {
    pub user_id: i64,
    pub email: String,
    pub role: Role,
    /// `None` for admins and managers.
    pub merchant_id: Option<i64>,
    pub merchant_name: Option<String>,
}

impl Gateway {
    /// Opens a session. Whatever is wrong takes the same time and gives the same answer.
    ///
    /// # Errors
    /// [`Error::Unauthorized`] for an unknown address, a wrong password, a suspended user;
    /// [`Error::Overloaded`] when too many sign in at once.
    pub async fn sign_in(
        &self,
        email: &str,
        password: &str,
        user_agent: &str,
    ) -> Result<SessionToken> {
        let email = email.trim();
        // The database refuses NUL in a text; nobody's address has one.
        let login = if email.contains('\0') {
            None
        } else {
            store::find_login(self.pool(), email).await?
        };
        let stored = login
            .as_ref()
            .map_or(passwords::NOBODY, |login| login.password_hash.as_str());
        let verdict = passwords::verify(password, stored).await?;
        let login = login
            .filter(|login| login.active && verdict != Verdict::Wrong)
            .ok_or(Error::Unauthorized)?;
        if verdict == Verdict::RightButCheap {
            let dearer = passwords::hash(password).await?;
            store::replace_hash(self.pool(), login.user_id, &login.password_hash, &dearer).await?;
        }
        let token = new_token()?;
        let now = self.clock().now();
        let user_agent: String = user_agent
            .chars()
            .filter(|c| !c.is_control())
            .take(USER_AGENT_CHARS_MAX)
            .collect();
        let hash = digest(&token.0);
        let oldest = now - LIFE_MAX;
        store::insert_session(self.pool(), &hash, login.user_id, &user_agent, now, oldest).await?;
        Ok(token)
    }

    /// Who a session belongs to. Suspending a user or changing its role works at once, because both
    /// are read here every time.
    ///
    /// # Errors
    /// [`Error::Unauthorized`] when there is no such session or it is over.
    pub async fn session(&self, token: &str) -> Result<SessionUser> {
        if token.len() != TOKEN_CHARS {
            return Err(Error::Unauthorized);
        }
        let hash = digest(token);
        let found = store::find_session(self.pool(), &hash)
            .await?
            .ok_or(Error::Unauthorized)?;
        let now = self.clock().now();
        if !found.active || !is_alive(found.user.role, found.created_at, found.last_seen_at, now) {
            store::delete_session(self.pool(), &hash).await?;
            return Err(Error::Unauthorized);
        }
        if now - found.last_seen_at >= LAST_SEEN_EVERY {
            store::note_request(self.pool(), &hash, now, now - LAST_SEEN_EVERY).await?;
        }
        Ok(found.user)
    }

    /// Ends a session; one that is over already stays so.
    pub async fn sign_out(&self, token: &str) -> Result<()> {
        store::delete_session(self.pool(), &digest(token)).await
    }
}

fn new_token() -> Result<SessionToken> {
    let mut bytes = [0u8; TOKEN_BYTES];
    getrandom::fill(&mut bytes).map_err(Error::internal)?;
    Ok(SessionToken(URL_SAFE_NO_PAD.encode(bytes)))
}

fn is_alive(
    role: Role,
    created_at: OffsetDateTime,
    last_seen_at: OffsetDateTime,
    now: OffsetDateTime,
) -> bool {
    let idle_max = match role {
        Role::Admin => IDLE_MAX_OF_ADMIN,
        Role::Manager | Role::Merchant | Role::ApiUser => IDLE_MAX,
    };
    now < created_at + LIFE_MAX && now < last_seen_at + idle_max
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use time::macros::datetime;

    use super::*;

    const START: OffsetDateTime = datetime!(2026-11-21 08:00 UTC);

    #[track_caller]
    fn check(role: Role, last_seen: Duration, now: Duration, alive: bool) {
        assert_eq!(
            is_alive(role, START, START + last_seen, START + now),
            alive,
            "{role:?} {now}"
        );
    }

    #[test]
    fn an_idle_session_ends() {
        let at = Duration::hours(2);
        let just_before = Duration::minutes(30) - Duration::seconds(1);
        check(Role::Merchant, at, at + just_before, true);
        check(Role::Merchant, at, at + Duration::minutes(30), false);
    }

    #[test]
    fn an_admins_idle_session_ends_earlier() {
        let at = Duration::hours(2);
        check(Role::Admin, at, at + Duration::minutes(14), true);
        check(Role::Admin, at, at + Duration::minutes(15), false);
        check(Role::Manager, at, at + Duration::minutes(15), true);
    }

    #[test]
    fn a_busy_session_ends_after_twelve_hours() {
        let seen = Duration::hours(12) - Duration::minutes(1);
        check(
            Role::Merchant,
            seen,
            Duration::hours(12) - Duration::seconds(1),
            true,
        );
        check(Role::Merchant, seen, Duration::hours(12), false);
    }

    #[test]
    fn tokens_are_random_and_tell_nothing_in_logs() {
        let (one, other) = (new_token().unwrap(), new_token().unwrap());
        assert_eq!(one.0.len(), TOKEN_CHARS);
        assert_ne!(one.0, other.0);
        assert!(!format!("{one:?}").contains(&one.0));
    }
}
