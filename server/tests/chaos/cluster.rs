//! A Postgres of this run's own, with the settings of the product: what is committed is on the disk.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use percent_encoding::percent_decode_str;
use server::postgres::PrivatePostgres;
use sqlx::postgres::PgPoolOptions;
use sqlx::{Connection, PgConnection, PgPool};
use url::Url;

use crate::crowd::PATIENCE;

/// Backends of a killed postmaster see it and end; until then nobody may start another one.
const START_LIMIT: Duration = Duration::from_secs(120);

pub struct Cluster {
    data_dir: PathBuf,
    postgres: Option<PrivatePostgres>,
    pub url: String,
}

impl Cluster {
    pub async fn start() -> Self {
        let name = format!("exchequer-chaos-{}", std::process::id());
        Self::start_in(std::env::temp_dir().join(name)).await
    }

    /// In a folder of its own, whatever was there before.
    pub async fn start_in(data_dir: PathBuf) -> Self {
        if data_dir.exists() {
            fs::remove_dir_all(&data_dir).unwrap();
        }
        Self::open(data_dir).await
    }

    /// What is there already, such as a copy.
    pub async fn open(data_dir: PathBuf) -> Self {
        let postgres = PrivatePostgres::start(&data_dir, None).await.unwrap();
        Self {
            data_dir,
            url: postgres.url(),
            postgres: Some(postgres),
        }
    }

    /// Connections for looking into the tables.
    pub async fn pool(&self) -> PgPool {
        pool(&self.url).await
    }

    /// Where the server listens.
    pub fn socket(&self) -> PathBuf {
        let url = Url::parse(&self.url).unwrap();
        let query = url.query().unwrap();
        let host = query
            .split('&')
            .find_map(|pair| pair.strip_prefix("host="))
            .unwrap();
        let folder = percent_decode_str(host).decode_utf8().unwrap();
        PathBuf::from(folder.into_owned()).join(format!(".s.PGSQL.{}", url.port().unwrap_or(5432)))
    }

    /// The same server under another database's name.
    pub fn url_of(&self, database: &str) -> String {
        self.url
            .replacen("/exchequer?", &format!("/{database}?"), 1)
    }

    pub fn kill_postmaster(&mut self) {
        kill(self.postmaster().unwrap(), Signal::SIGKILL).unwrap();
        self.postgres = None;
    }

    /// Recovers from a kill.
    pub async fn start_again(&mut self) {
        let begun = Instant::now();
        loop {
            match PrivatePostgres::start(&self.data_dir, None).await {
                Ok(postgres) => {
                    assert_eq!(postgres.url(), self.url);
                    self.postgres = Some(postgres);
                    return;
                }
                Err(error) => assert!(begun.elapsed() < START_LIMIT, "{error}"),
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Whatever has become of it, it takes connections again. For one that may be about to end by itself.
    pub async fn up_again(&mut self) {
        self.postgres = None;
        let begun = Instant::now();
        loop {
            self.start_again().await;
            match PgConnection::connect(&self.url).await {
                Ok(_) => return,
                // It recovers, or has just ended.
                Err(error) => assert!(begun.elapsed() < START_LIMIT, "{error}"),
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// All that it has written about itself, also before it was killed.
    pub fn log(&self) -> String {
        // A long one is set aside at a start.
        let mut log = fs::read(self.data_dir.join("postgres.log.1")).unwrap_or_default();
        log.extend(fs::read(self.data_dir.join("postgres.log")).unwrap());
        String::from_utf8_lossy(&log).into_owned()
    }

    /// Where its tables are.
    pub fn place(&self) -> PathBuf {
        fs::canonicalize(self.data_dir.join("postgres")).unwrap()
    }

    pub async fn stop(mut self) {
        if let Some(postgres) = self.postgres.take() {
            postgres.stop().await.unwrap();
        }
        fs::remove_dir_all(&self.data_dir).unwrap();
    }

    /// First line of its own file, which it wrote when this run started it.
    fn postmaster(&self) -> Option<Pid> {
        let file = self.data_dir.join("postgres/postmaster.pid");
        let text = fs::read_to_string(file).ok()?;
        text.lines()
            .next()?
            .trim()
            .parse::<i32>()
            .ok()
            .map(Pid::from_raw)
    }
}

impl Drop for Cluster {
    /// A run that fails leaves no server behind; its folder stays, to be looked at.
    fn drop(&mut self) {
        if self.postgres.is_some()
            && let Some(postmaster) = self.postmaster()
        {
            let _ = kill(postmaster, Signal::SIGQUIT);
        }
    }
}

pub async fn pool(url: &str) -> PgPool {
    let options = PgPoolOptions::new()
        .max_connections(2)
        .acquire_timeout(PATIENCE);
    options.connect(url).await.unwrap()
}
