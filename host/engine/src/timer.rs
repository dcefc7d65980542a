//! Wakes the pools and the gate when they want to be woken.

use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::time::Instant;

use crate::engine::Shared;
use crate::ports::{Sites, Transport};

/// The longest wait, so that the task notices when the engine is gone, and what has become due while the machine slept.
const LOOK_AGAIN: Duration = Duration::from_secs(60);

/// Runs until the engine is gone. Nothing of it is held while waiting.
pub(crate) async fn run<T: Transport, S: Sites>(engine: Weak<Shared<T, S>>) {
    while let Some(shared) = engine.upgrade() {
        let pools = shared.state().pools.poll_timeout();
        let next = [pools, shared.gate.poll_timeout()].into_iter().flatten().min();
        let wake = Arc::clone(&shared.wake);
        let until = match next {
            Some(at) if at <= shared.now() => {
                shared.apply(|state, now| state.pools.handle_timeout(now));
                shared.wake_gate();
                continue;
            }
            Some(at) => shared.clock(at).min(Instant::now() + LOOK_AGAIN),
            None => Instant::now() + LOOK_AGAIN,
        };
        drop(shared);
        tokio::select! {
            () = tokio::time::sleep_until(until) => {}
            () = wake.notified() => {}
        }
    }
}
