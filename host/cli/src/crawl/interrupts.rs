//! Ctrl-C and SIGTERM, as messages.

use tokio::sync::mpsc;

/// Sends one message per signal from now on. The first signal no longer ends the process.
pub(crate) fn listen() -> mpsc::Receiver<()> {
    let (sender, receiver) = mpsc::channel(2);
    match Signals::register() {
        Ok(signals) => drop(tokio::spawn(forward(signals, sender))),
        Err(error) => tracing::warn!("cannot listen for signals: Ctrl-C ends the process at once: {error}"),
    }
    receiver
}

async fn forward(mut signals: Signals, sender: mpsc::Sender<()>) {
    loop {
        signals.next().await;
        if sender.send(()).await.is_err() {
            return;
        }
    }
}

#[cfg(unix)]
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn register() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

#[cfg(not(unix))]
struct Signals(tokio::signal::windows::CtrlC);

#[cfg(not(unix))]
impl Signals {
    fn register() -> std::io::Result<Self> {
        tokio::signal::windows::ctrl_c().map(Self)
    }

    async fn next(&mut self) {
        self.0.recv().await;
    }
}
