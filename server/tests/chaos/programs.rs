//! Processes of a run: servers, audits, Postgres' own programs.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Output, Stdio};
use std::sync::mpsc;
use std::thread;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::crowd::PATIENCE;

/// A server; dropping it is `kill -9`.
pub struct Server {
    child: Child,
    pub base: String,
    /// Kept open: a server whose output nobody can take ends.
    _output: Option<BufReader<ChildStdout>>,
}

impl Server {
    pub fn start(database_url: &str, settings: &[(&str, &str)]) -> Self {
        let mut child = exchequer(database_url)
            .arg("serve")
            .envs(settings.iter().copied())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        // Dropped, and so ended, when it does not say in time where it listens.
        let mut server = Self {
            child,
            base: String::new(),
            _output: None,
        };
        let (tell, told) = mpsc::channel();
        thread::spawn(move || {
            let mut line = String::new();
            let read = output.read_line(&mut line);
            // Nobody waits for it any more when it comes too late.
            let _ = tell.send((read.map(|_| line), output));
        });
        let (line, output) = told
            .recv_timeout(PATIENCE)
            .expect("a server says where it listens");
        server.base = line.unwrap().trim().to_owned();
        server._output = Some(output);
        assert!(
            server.base.starts_with("http://127.0.0.1:"),
            "{:?}",
            server.base
        );
        server
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What the program prints; it has to succeed.
pub fn run(database_url: &str, args: &[&str]) -> String {
    let output = finish(exchequer(database_url).args(args));
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{args:?}: {text}");
    text
}

fn exchequer(database_url: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_exchequer"));
    command
        .env("DATABASE_URL", database_url)
        .env("EXCHEQUER_LISTEN", "127.0.0.1:0")
        .env("EXCHEQUER_RATE_LIMIT", "1000000")
        .env("EXCHEQUER_DB_CONNECTIONS", "10")
        // It is full of what is done to it.
        .env("EXCHEQUER_LOG", "off");
    command
}

/// One of Postgres' programs, which has to succeed.
pub fn postgres(program: &str, args: &[&str]) {
    let output = finish(Command::new(find(program)).args(args));
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program}: {told}");
}

/// What it printed, once it has ended.
///
/// # Panics
/// When it cannot be started, or takes longer than anybody waits here; it is killed then.
pub fn finish(command: &mut Command) -> Output {
    let program = command.get_program().to_string_lossy().into_owned();
    let child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{program}: {error}"));
    let process = Pid::from_raw(i32::try_from(child.id()).unwrap());
    let (tell, told) = mpsc::channel();
    thread::spawn(move || {
        // Nobody waits for it any more when it comes too late.
        let _ = tell.send(child.wait_with_output());
    });
    match told.recv_timeout(PATIENCE) {
        Ok(output) => output.unwrap(),
        Err(_) => {
            // It has not ended, so nobody else has its number.
            let _ = kill(process, Signal::SIGKILL);
            panic!("{program} takes longer than {PATIENCE:?}");
        }
    }
}

/// A program that goes on until it is dropped.
pub struct Background(Child);

impl Background {
    /// One of Postgres'.
    pub fn postgres(program: &str, args: &[&str]) -> Self {
        let child = Command::new(find(program))
            .args(args)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        Self(child.unwrap())
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// In Debian's folders, newest first, then on the search path: the order of the product.
fn find(program: &str) -> PathBuf {
    let installed = std::fs::read_dir("/usr/lib/postgresql");
    let mut versions: Vec<u32> = installed
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .collect();
    versions.sort_unstable();
    versions
        .iter()
        .rev()
        .map(|version| PathBuf::from(format!("/usr/lib/postgresql/{version}/bin/{program}")))
        .find(|path| path.is_file())
        .unwrap_or_else(|| PathBuf::from(program))
}
