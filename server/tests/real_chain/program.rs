//! The program as an operator runs it: one database, the same settings for every process.

use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdout, Command, Stdio};

use sqlx::{ConnectOptions, PgPool};
use tokio::task::spawn_blocking;

pub struct Program {
    database_url: String,
    settings: Vec<(&'static str, String)>,
}

/// A server; dropping it is `kill -9`.
pub struct Server {
    child: Child,
    pub base: String,
    /// Kept open: a server whose output nobody can take ends.
    _output: BufReader<ChildStdout>,
}

impl Program {
    pub fn new(pool: &PgPool, settings: Vec<(&'static str, String)>) -> Self {
        Self {
            database_url: pool.connect_options().to_url_lossy().to_string(),
            settings,
        }
    }

    /// Started on another thread: what stands before its node runs on this one.
    pub async fn serve(&self) -> Server {
        let mut command = self.command();
        command.arg("serve").stdout(Stdio::piped());
        spawn_blocking(move || Server::start(command))
            .await
            .unwrap()
    }

    /// What a command prints; it has to succeed.
    pub async fn run(&self, args: &'static [&'static str]) -> String {
        let mut command = self.command();
        command.args(args);
        let output = spawn_blocking(move || command.output()).await.unwrap();
        let output = output.unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success(), "{args:?}: {text}");
        text
    }

    fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_exchequer"));
        command
            .env("DATABASE_URL", &self.database_url)
            .env("EXCHEQUER_LISTEN", "127.0.0.1:0")
            .env("EXCHEQUER_RATE_LIMIT", "1000000")
            .env("EXCHEQUER_DB_CONNECTIONS", "10")
            // It is full of what is done to it.
            .env("EXCHEQUER_LOG", "off");
        for (name, value) in &self.settings {
            command.env(name, value);
        }
        command
    }
}

impl Server {
    fn start(mut command: Command) -> Self {
        let mut child = command.spawn().unwrap();
        let mut line = String::new();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        output.read_line(&mut line).unwrap();
        let base = line.trim().to_owned();
        assert!(base.starts_with("http://127.0.0.1:"), "{line:?}");
        Self {
            child,
            base,
            _output: output,
        }
    }

    /// `kill -9`; it is gone when this returns.
    pub fn kill(self) {
        drop(self);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
