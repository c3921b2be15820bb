//! How we prove to a node that we may call it.

use std::fmt;
use std::path::{Path, PathBuf};

use tokio::sync::Mutex;

use super::error::RpcError;

/// A password, never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(String);

impl Password {
    pub const fn new(text: String) -> Self {
        Self(text)
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(..)")
    }
}

/// What the operator gave us.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Credentials {
    /// A file the node writes at each start (`.cookie` in its data folder).
    Cookie(PathBuf),
    Password {
        user: String,
        password: Password,
    },
}

/// The credentials as they are now.
#[derive(Debug)]
pub(super) struct Login {
    credentials: Credentials,
    /// What the cookie file held when it was last read.
    cookie: Mutex<Option<(String, Password)>>,
}

impl Login {
    pub(super) fn new(credentials: Credentials) -> Self {
        Self {
            credentials,
            cookie: Mutex::new(None),
        }
    }

    /// User and password for the next call.
    pub(super) async fn pair(&self) -> Result<(String, String), RpcError> {
        match &self.credentials {
            Credentials::Password { user, password } => Ok((user.clone(), password.0.clone())),
            Credentials::Cookie(path) => {
                let mut cookie = self.cookie.lock().await;
                let (user, password) = match cookie.take() {
                    Some(known) => known,
                    None => read_cookie(path).await?,
                };
                *cookie = Some((user.clone(), password.clone()));
                Ok((user, password.0))
            }
        }
    }

    /// Forgets a refused cookie; answers whether there is something else to try.
    pub(super) async fn expire(&self) -> bool {
        match &self.credentials {
            Credentials::Password { .. } => false,
            Credentials::Cookie(_) => {
                *self.cookie.lock().await = None;
                true
            }
        }
    }
}

async fn read_cookie(path: &Path) -> Result<(String, Password), RpcError> {
    let wrong = |reason: String| RpcError::Cookie {
        path: path.to_owned(),
        reason,
    };
    let text = tokio::fs::read_to_string(path)
        .await
        .map_err(|error| wrong(error.to_string()))?;
    // Its contents stay out of the message.
    let (user, password) = text
        .trim_end()
        .split_once(':')
        .ok_or_else(|| wrong("it is not a cookie".to_owned()))?;
    Ok((user.to_owned(), Password::new(password.to_owned())))
}
