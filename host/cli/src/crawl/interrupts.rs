//! Ctrl-C and SIGTERM, as messages.

use tokio::sync::mpsc;

/// Sends one message per signal from now on. The first signal no longer ends the process.
pub(crate) fn listen() -> mpsc::Receiver<()> {
    let (sender, receiver) = mpsc::channel(2);
    tokio::spawn(forward(sender));
    receiver
}

#[cfg(unix)]
async fn forward(sender: mpsc::Sender<()>) {
    use tokio::signal::unix::{SignalKind, signal};

    let (Ok(mut interrupt), Ok(mut terminate)) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate())) else {
        tracing::warn!("cannot listen for signals: Ctrl-C ends the process at once");
        return;
    };
    loop {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        if sender.send(()).await.is_err() {
            return;
        }
    }
}

#[cfg(not(unix))]
async fn forward(sender: mpsc::Sender<()>) {
    while tokio::signal::ctrl_c().await.is_ok() {
        if sender.send(()).await.is_err() {
            return;
        }
    }
}
