//! Ctrl-C, SIGTERM and SIGHUP, as messages.

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
    /// None where whoever started the process has it outlive its terminal, as nohup does.
    hang_up: Option<tokio::signal::unix::Signal>,
}

#[cfg(unix)]
impl Signals {
    fn register() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        let hang_up = if is_hang_up_ignored() { None } else { Some(signal(SignalKind::hangup())?) };
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())?, hang_up })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
            () = heard(&mut self.hang_up) => {}
        }
    }
}

#[cfg(unix)]
async fn heard(signal: &mut Option<tokio::signal::unix::Signal>) {
    match signal {
        Some(signal) => drop(signal.recv().await),
        None => std::future::pending().await,
    }
}

/// Was the process started with SIGHUP ignored? Where the system does not tell, it was not.
#[cfg(unix)]
fn is_hang_up_ignored() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let ignored = ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or_default();
    // SIGHUP is signal 1, the lowest bit.
    ignored & 1 == 1
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
