//! The gateway's side of the socket.
//!
//! Invariant: an answer is only taken for the transaction that was asked about. Whether its
//! signatures hold is for [`psbt::complete`](crate::psbt::complete), as with anybody's.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use bitcoin::Psbt;
use serde::Serialize;
use thiserror::Error;
use tokio::net::UnixStream;
use tokio::time::timeout;

use crate::evm::{Role, Transaction};
use crate::protocol::{
    AccountRequest, Answer, DayIsFull, FrameError, RefusedPayment, Request, read_frame, read_psbt,
    write_frame,
};

/// Why there is no signature.
#[derive(Debug, Error)]
pub enum ClientError {
    /// Nobody listens, or this user may not open the socket. Worth another try later.
    #[error("the signer cannot be reached: {0}")]
    Unreachable(#[source] io::Error),
    /// Worth another try: the same request gets the same signatures.
    #[error("the signer did not answer in time")]
    TimedOut,
    /// It turns away users it was not told about, without a word.
    #[error("the signer closed the connection; it may not serve this user")]
    HungUp,
    /// It understood and will not. A person has to look.
    #[error("the signer refuses: {0}")]
    Refused(String),
    /// It will not make some of the payments. Without them it may sign.
    #[error("the signer refuses: {}", first_why(.0))]
    RefusedPayments(Vec<RefusedPayment>),
    /// Worth another try when the day is over (UTC), or with less.
    #[error("the signer refuses for today: {}", day_why(.0))]
    DayIsFull(DayIsFull),
    /// Worth another try.
    #[error("the signer could not: {0}")]
    Failed(String),
    #[error("the request or the answer did not come through: {0}")]
    Frame(#[from] FrameError),
    #[error("the signer said something else than an answer: {0}")]
    Garbled(String),
}

impl ClientError {
    /// Whether the same request may get a signature later without anybody doing anything about it.
    pub const fn may_pass(&self) -> bool {
        match self {
            Self::Unreachable(_) | Self::TimedOut | Self::Failed(_) | Self::DayIsFull(_) => true,
            Self::Frame(error) => matches!(error, FrameError::Connection(_)),
            Self::HungUp | Self::Refused(_) | Self::RefusedPayments(_) | Self::Garbled(_) => false,
        }
    }
}

/// Asks a signer. Each request has a connection of its own.
#[derive(Debug, Clone)]
pub struct SignerClient {
    socket: PathBuf,
    time_limit: Duration,
}

impl SignerClient {
    /// `time_limit` is for connecting, asking and being answered together.
    pub const fn new(socket: PathBuf, time_limit: Duration) -> Self {
        Self { socket, time_limit }
    }

    /// Asks for the signatures of a PSBT. `references` say what is paid for.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn sign(&self, psbt: &Psbt, references: &[String]) -> Result<Psbt, ClientError> {
        let request = Request::new(psbt, references.to_vec());
        let answer = timeout(self.time_limit, self.ask(&request))
            .await
            .map_err(|_| ClientError::TimedOut)??;
        let signed = match answer {
            Answer::Psbt(text) => read_psbt(&text).map_err(ClientError::Garbled)?,
            Answer::Transaction(_) => {
                return Err(ClientError::Garbled("another kind of answer".to_owned()));
            }
            Answer::Refused(words) => return Err(ClientError::Refused(words)),
            Answer::RefusedPayments(payments) => {
                return Err(ClientError::RefusedPayments(payments));
            }
            Answer::DayIsFull(day) => return Err(ClientError::DayIsFull(day)),
            Answer::Failed(words) => return Err(ClientError::Failed(words)),
        };
        if signed.unsigned_tx != psbt.unsigned_tx {
            return Err(ClientError::Garbled("another transaction".to_owned()));
        }
        Ok(signed)
    }

    /// Asks for the signed bytes of a transaction of an account: which one, `role` says. Whether they are those is for
    /// [`Transaction::check_signed`].
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn sign_account(
        &self,
        transaction: &Transaction,
        references: &[String],
        role: Role,
    ) -> Result<Vec<u8>, ClientError> {
        let request = AccountRequest {
            transaction: transaction.clone(),
            references: references.to_vec(),
            role,
        };
        let answer = timeout(self.time_limit, self.ask(&request))
            .await
            .map_err(|_| ClientError::TimedOut)??;
        match answer {
            Answer::Transaction(digits) => {
                hex::decode(digits).map_err(|error| ClientError::Garbled(error.to_string()))
            }
            Answer::Psbt(_) | Answer::RefusedPayments(_) => {
                Err(ClientError::Garbled("another kind of answer".to_owned()))
            }
            Answer::DayIsFull(day) => Err(ClientError::DayIsFull(day)),
            Answer::Refused(words) => Err(ClientError::Refused(words)),
            Answer::Failed(words) => Err(ClientError::Failed(words)),
        }
    }

    async fn ask<R: Serialize + Sync>(&self, request: &R) -> Result<Answer, ClientError> {
        let garbled = |error: serde_json::Error| ClientError::Garbled(error.to_string());
        let json = serde_json::to_vec(request).map_err(garbled)?;
        let mut stream = UnixStream::connect(&self.socket)
            .await
            .map_err(ClientError::Unreachable)?;
        let written = write_frame(&mut stream, &json).await;
        if let Err(error @ FrameError::TooLong(_)) = written {
            return Err(error.into());
        }
        // One that turns us away may have closed before all was written. It may also have answered.
        match read_frame(&mut stream).await {
            Ok(Some(frame)) => serde_json::from_slice(&frame).map_err(garbled),
            Ok(None) => Err(ClientError::HungUp),
            Err(FrameError::Connection(error)) if is_closed(&error) => Err(ClientError::HungUp),
            Err(error) => Err(error.into()),
        }
    }
}

fn first_why(payments: &[RefusedPayment]) -> &str {
    payments.first().map_or("", |payment| payment.why.as_str())
}

fn day_why(day: &DayIsFull) -> &str {
    &day.why
}

fn is_closed(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe
    )
}
