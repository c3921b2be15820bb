//! What gateway and signer say to each other on the socket.
//!
//! A frame is four bytes of length, most significant first, and that many bytes of JSON. A
//! connection carries any number of requests, one after the other, each with one answer.
//!
//! Invariant: no more than [`FRAME_MAX`] bytes are ever read or kept for a peer.

use std::io;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bitcoin::{Psbt, ScriptBuf};
use serde::{Deserialize, Serialize};
use thiserror::Error;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

use crate::evm::{Role, Transaction};

/// Most bytes of JSON in a frame: a transaction of a hundred inputs, with the ones that made them.
pub const FRAME_MAX: usize = 8 * 1024 * 1024;

/// Most references of a request, and most characters of each.
const REFERENCES_MAX: usize = 5_000;
const REFERENCE_LENGTH_MAX: usize = 200;

/// Please sign.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// In base64 (BIP 174).
    pub psbt: String,
    /// What is paid for, for the signer's log alone: nothing is decided by them.
    pub references: Vec<String>,
}

/// Please sign a transaction of an account, on a chain of accounts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccountRequest {
    pub transaction: Transaction,
    /// As in [`Request`].
    pub references: Vec<String>,
    /// Left out for payments.
    #[serde(default, skip_serializing_if = "Role::is_payment")]
    pub role: Role,
}

impl AccountRequest {
    /// Reads a request.
    ///
    /// # Errors
    /// See [`RequestError`].
    pub fn parse(json: &[u8]) -> Result<Self, RequestError> {
        let request: Self =
            serde_json::from_slice(json).map_err(|error| RequestError::Form(error.to_string()))?;
        check_references(&request.references)?;
        Ok(request)
    }
}

/// What the signer says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// The same PSBT with a signature on every input, in base64.
    Psbt(String),
    /// The signed bytes of the transaction, in hexadecimal.
    Transaction(String),
    /// It will not, and asking again changes nothing as long as limits and day are the same.
    Refused(String),
    /// It will not make some of the payments, whatever else the transaction pays.
    RefusedPayments(Vec<RefusedPayment>),
    /// It would, and too much of the day is used up.
    DayIsFull(DayIsFull),
    /// It could not, this time.
    Failed(String),
}

/// A payment the signer's policy never lets out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RefusedPayment {
    pub script: ScriptBuf,
    pub satoshi: u64,
    pub why: String,
}

/// How much of a day is left, in satoshis of payments and fees; the day is one of UTC.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DayIsFull {
    pub spent: u64,
    pub max: u64,
    pub why: String,
}

impl DayIsFull {
    pub const fn room(&self) -> u64 {
        self.max.saturating_sub(self.spent)
    }
}

/// A frame that is none, or could not be moved.
#[derive(Debug, Error)]
pub enum FrameError {
    #[error("the frame has {0} bytes, and at most {FRAME_MAX} are allowed")]
    TooLong(usize),
    #[error("the connection: {0}")]
    Connection(#[from] io::Error),
}

/// Why a request is not understood. Said to whoever asked.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RequestError {
    #[error("the request is not the JSON it should be: {0}")]
    Form(String),
    #[error("there are more references, or longer ones, than a transaction needs")]
    References,
    #[error("the PSBT of the request is none: {0}")]
    Psbt(String),
}

impl Request {
    pub fn new(psbt: &Psbt, references: Vec<String>) -> Self {
        Self {
            psbt: write_psbt(psbt),
            references,
        }
    }

    /// Reads a request and the PSBT in it.
    ///
    /// # Errors
    /// See [`RequestError`].
    pub fn parse(json: &[u8]) -> Result<(Self, Psbt), RequestError> {
        let request: Self =
            serde_json::from_slice(json).map_err(|error| RequestError::Form(error.to_string()))?;
        check_references(&request.references)?;
        let psbt = read_psbt(&request.psbt).map_err(RequestError::Psbt)?;
        Ok((request, psbt))
    }
}

fn check_references(references: &[String]) -> Result<(), RequestError> {
    let too_long = |reference: &String| reference.chars().count() > REFERENCE_LENGTH_MAX;
    if references.len() > REFERENCES_MAX || references.iter().any(too_long) {
        return Err(RequestError::References);
    }
    Ok(())
}

/// Writes a PSBT as base64.
pub(crate) fn write_psbt(psbt: &Psbt) -> String {
    STANDARD.encode(psbt.serialize())
}

/// Reads a PSBT from base64, or says why it is none.
pub(crate) fn read_psbt(text: &str) -> Result<Psbt, String> {
    let bytes = STANDARD.decode(text).map_err(|error| error.to_string())?;
    Psbt::deserialize(&bytes).map_err(|error| error.to_string())
}

/// Reads the next frame; `None` when the peer has closed between two.
///
/// # Errors
/// See [`FrameError`].
pub async fn read_frame<R: AsyncRead + Unpin>(
    reader: &mut R,
) -> Result<Option<Vec<u8>>, FrameError> {
    let mut length = [0; 4];
    if reader.read(&mut length[..1]).await? == 0 {
        return Ok(None);
    }
    reader.read_exact(&mut length[1..]).await?;
    let length = usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX);
    if length > FRAME_MAX {
        return Err(FrameError::TooLong(length));
    }
    // Grown as bytes come: a length alone makes nobody hold memory.
    let mut frame = Vec::new();
    let limit = u64::try_from(length).unwrap_or(u64::MAX);
    let read = reader.take(limit).read_to_end(&mut frame).await?;
    if read < length {
        return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
    }
    Ok(Some(frame))
}

/// Writes one frame.
///
/// # Errors
/// See [`FrameError`].
pub async fn write_frame<W: AsyncWrite + Unpin>(
    writer: &mut W,
    json: &[u8],
) -> Result<(), FrameError> {
    let too_long = || FrameError::TooLong(json.len());
    if json.len() > FRAME_MAX {
        return Err(too_long());
    }
    let length = u32::try_from(json.len()).map_err(|_| too_long())?;
    writer.write_all(&length.to_be_bytes()).await?;
    writer.write_all(json).await?;
    writer.flush().await?;
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
