//! The end of a process: asked for once, seen by everybody who works.

use std::time::Duration;

use tokio::runtime::Runtime;
use tokio::sync::watch;

/// What blocks a thread is left behind after this long. The resolver may take half a minute to find out
/// that nobody answers it, and nobody waits for what it finds.
const GRACE_OF_THREADS: Duration = Duration::from_secs(1);

/// Ends a runtime whose work is done. One that is only dropped waits for every thread that is blocked.
pub fn leave(runtime: Runtime) {
    runtime.shutdown_timeout(GRACE_OF_THREADS);
}

/// Tells when the process was asked to stop. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Shutdown(watch::Receiver<bool>);

impl Shutdown {
    /// One that ends when the process gets SIGINT (Ctrl-C) or SIGTERM.
    pub fn on_signal() -> Self {
        let (ask, asked) = watch::channel(false);
        tokio::spawn(async move {
            wait_for_signal().await;
            // Before anything that may fail. Nobody left to tell is fine.
            let _ = ask.send(true);
            tracing::info!("asked to stop");
            ask.closed().await;
        });
        Self(asked)
    }

    /// One that never ends, for tests.
    pub fn never() -> Self {
        Self(watch::channel(false).1)
    }

    /// One that ends when `asked` turns true.
    pub fn following(asked: watch::Receiver<bool>) -> Self {
        Self(asked)
    }

    /// For workers that watch it themselves.
    pub fn receiver(&self) -> watch::Receiver<bool> {
        self.0.clone()
    }

    pub fn is_requested(&self) -> bool {
        *self.0.borrow()
    }

    /// Returns once it was asked for.
    pub async fn requested(&mut self) {
        while !self.is_requested() {
            if self.0.changed().await.is_err() {
                // Whoever could ask is gone, so nobody ever will.
                std::future::pending::<()>().await;
            }
        }
    }
}

#[cfg(unix)]
async fn wait_for_signal() {
    use tokio::signal::unix::{SignalKind, signal};

    let terminate = async {
        match signal(SignalKind::terminate()) {
            Ok(mut signal) => drop(signal.recv().await),
            Err(error) => {
                tracing::warn!(%error, "SIGTERM cannot be waited for");
                std::future::pending().await
            }
        }
    };
    tokio::select! {
        () = interrupt() => {}
        () = terminate => {}
    }
}

#[cfg(not(unix))]
async fn wait_for_signal() {
    interrupt().await;
}

async fn interrupt() {
    if let Err(error) = tokio::signal::ctrl_c().await {
        tracing::warn!(%error, "Ctrl-C cannot be waited for");
        std::future::pending::<()>().await;
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::sync::mpsc;
    use std::thread;

    use futures::FutureExt;
    use tokio::runtime::Builder;

    use super::*;

    #[tokio::test]
    async fn everybody_sees_the_request_also_afterwards() {
        let (ask, asked) = watch::channel(false);
        let mut early = Shutdown(asked);
        assert!(early.requested().now_or_never().is_none());
        ask.send(true).unwrap();
        early.requested().await;
        let mut late = early.clone();
        late.requested().await;
        assert!(late.is_requested());
    }

    #[tokio::test]
    async fn what_can_never_be_asked_for_is_never_seen() {
        assert!(Shutdown::never().requested().now_or_never().is_none());
    }

    #[test]
    fn a_blocked_thread_holds_up_no_end() {
        let (release, held) = mpsc::channel::<()>();
        let (begin, begun) = mpsc::channel();
        let runtime = Builder::new_current_thread().build().unwrap();
        runtime.spawn_blocking(move || {
            begin.send(()).unwrap();
            // Until the test is over.
            let _ = held.recv();
        });
        begun.recv().unwrap();
        let (tell, left) = mpsc::channel();
        thread::spawn(move || {
            leave(runtime);
            tell.send(()).unwrap();
        });
        left.recv_timeout(Duration::from_secs(60)).unwrap();
        drop(release);
    }
}
