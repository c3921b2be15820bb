//! The private Postgres: the embedded default when no `DATABASE_URL` is given.
//!
//! The cluster lives in `postgres` under the data folder, is reachable through a unix socket only
//! and keeps `fsync` on: it holds money like any other database. Several processes (`serve`,
//! `demo`) may use one cluster. Each holds a shared lock while it does, so the last one to leave
//! stops the server and a killed process never blocks the next start: its lock dies with it, and
//! the server it left running is used again.

mod binaries;
mod cluster;
mod error;
mod lock;
mod memory;
mod place;
mod socket;
#[cfg(test)]
mod tests;

use std::fs::File;
use std::path::{Path, PathBuf};

use self::binaries::Binaries;
pub(crate) use self::binaries::find_program;
use self::cluster::Cluster;
pub use self::error::PrivatePostgresError;
use self::place::Place;
use self::socket::Socket;

/// Name of both the superuser and the database of a private cluster.
const NAME: &str = "exchequer";

/// A running private cluster that this process takes part in using.
///
/// Dropping it leaves the server running; call [`PrivatePostgres::stop`] on an orderly shutdown.
#[derive(Debug)]
pub struct PrivatePostgres {
    cluster: Cluster,
    socket: Socket,
    /// Held exclusively while somebody starts or stops the cluster.
    transition_lock: PathBuf,
    /// Held shared by every process that uses the cluster.
    in_use: File,
    in_use_lock: PathBuf,
}

impl PrivatePostgres {
    /// Starts or reuses the cluster in `data_dir/postgres` and creates the database `exchequer`
    /// when missing.
    ///
    /// `bin_dir` names the folder with `initdb`, `pg_ctl`, `postgres` and `psql`; without it they
    /// are looked for. Run as root, the cluster is handed to the user `postgres` or `nobody`,
    /// because Postgres refuses uid 0; where that user cannot enter `data_dir`, the cluster is put
    /// under `/var/lib/exchequer-postgres` and `data_dir/postgres` becomes a link to it.
    ///
    /// # Errors
    ///
    /// No or wrong binaries, a folder that cannot be used, or a step of Postgres that failed; the
    /// latter names the log file and carries its last lines.
    pub async fn start(
        data_dir: &Path,
        bin_dir: Option<&Path>,
    ) -> Result<PrivatePostgres, PrivatePostgresError> {
        let data_dir = place::prepare_data_dir(data_dir)?;
        let transition_lock = data_dir.join("postgres.start.lock");
        let in_use_lock = data_dir.join("postgres.use.lock");
        let transition = lock::exclusive(&transition_lock).await?;

        let place = Place::find(&data_dir)?;
        let binaries = Binaries::find(bin_dir, &place).await?;
        let cluster = Cluster::new(&place, binaries, data_dir.join("postgres.log"));
        if place.major.is_none() {
            tracing::info!(cluster = %place.cluster.display(), "making a private Postgres cluster");
            cluster.create().await?;
        }
        let socket = loop {
            let socket = match cluster.running_socket().await {
                Some(socket) => {
                    tracing::info!(cluster = %place.cluster.display(), "private Postgres is running");
                    socket
                }
                None => cluster.start().await?,
            };
            if cluster.create_database(&socket).await? {
                break socket;
            }
            // It was ending when it was found: a server that was killed takes connections for a moment.
            tracing::warn!(cluster = %place.cluster.display(), "private Postgres has ended, it is started again");
        };

        let in_use = lock::shared(&in_use_lock)?;
        drop(transition);
        Ok(PrivatePostgres {
            cluster,
            socket,
            transition_lock,
            in_use,
            in_use_lock,
        })
    }

    /// The URL of the database, for sqlx and libpq alike.
    pub fn url(&self) -> String {
        self.socket.url()
    }

    /// Stops the server with a fast shutdown, unless another process still uses it.
    ///
    /// # Errors
    ///
    /// The lock files cannot be used, or `pg_ctl` failed.
    pub async fn stop(self) -> Result<(), PrivatePostgresError> {
        let _transition = lock::exclusive(&self.transition_lock).await?;
        // Under the transition lock nobody can join between these two lines.
        self.in_use.unlock().map_err(error::at(&self.in_use_lock))?;
        if lock::is_free(&self.in_use, &self.in_use_lock)? {
            self.cluster.stop().await
        } else {
            tracing::info!("private Postgres is left to another process that uses it");
            Ok(())
        }
    }
}
