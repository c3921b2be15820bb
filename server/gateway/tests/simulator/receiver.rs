//! A receiver of webhooks on loopback that answers as the script says, and writes down what it has read.

use std::collections::{BTreeSet, VecDeque};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// What it does with one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    Good,
    Fails,
    /// 410. Only the address of orders says so: a managed one would be switched off for it.
    Gone,
    /// Reads all of it and never answers.
    Hangs,
    /// Closes without reading, so the sender is reset.
    Resets,
    /// A good answer, one byte at a time.
    Drips,
}

impl Answer {
    pub const ALL: [Self; 6] = [
        Self::Good,
        Self::Fails,
        Self::Gone,
        Self::Hangs,
        Self::Resets,
        Self::Drips,
    ];
}

#[derive(Clone, Default)]
pub struct Receiver {
    answers: Arc<Mutex<VecDeque<Answer>>>,
    /// Ids of the events it has read.
    read: Arc<Mutex<BTreeSet<String>>>,
}

impl Receiver {
    /// Answers its base address.
    pub async fn start(&self) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let receiver = self.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let receiver = receiver.clone();
                // A broken connection is the sender's to notice.
                tokio::spawn(async move { drop(receiver.serve(stream).await) });
            }
        });
        base
    }

    /// One more answer after those that wait; good ones when none does.
    pub fn will_answer(&self, answer: Answer) {
        self.answers.lock().unwrap().push_back(answer);
    }

    pub fn is_well(&self) {
        self.answers.lock().unwrap().clear();
    }

    pub fn has(&self, event: &str) -> bool {
        self.read.lock().unwrap().contains(event)
    }

    async fn serve(&self, mut stream: TcpStream) -> std::io::Result<()> {
        let answer = self.answers.lock().unwrap().pop_front();
        let answer = answer.unwrap_or(Answer::Good);
        if answer == Answer::Resets {
            return Ok(());
        }
        let head = read_request(&mut stream).await?;
        if let Some(id) = header(&head, "webhook-id") {
            self.read.lock().unwrap().insert(id.to_owned());
        }
        let status = match answer {
            Answer::Good | Answer::Drips | Answer::Resets => "200 OK",
            Answer::Gone if head.starts_with("POST /orders ") => "410 Gone",
            Answer::Fails | Answer::Gone => "500 Internal Server Error",
            Answer::Hangs => return std::future::pending().await,
        };
        let text = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
        if answer == Answer::Drips {
            for byte in text.bytes() {
                stream.write_all(&[byte]).await?;
                stream.flush().await?;
            }
        } else {
            stream.write_all(text.as_bytes()).await?;
        }
        stream.shutdown().await
    }
}

/// The head of a request, once its body is here too.
async fn read_request(stream: &mut TcpStream) -> std::io::Result<String> {
    let mut bytes = Vec::new();
    let mut buffer = [0; 4_096];
    loop {
        let count = stream.read(&mut buffer).await?;
        if count == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        bytes.extend_from_slice(&buffer[..count]);
        let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else {
            continue;
        };
        let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
        let length = header(&head, "content-length").and_then(|text| text.parse().ok());
        let length: usize = length.unwrap_or(0);
        if bytes.len() >= end + 4 + length {
            return Ok(head);
        }
    }
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(key, _)| key.eq_ignore_ascii_case(name))
        .map(|(_, value)| value.trim())
}
