//! Wakes the pools when they want to be woken.

use std::sync::Weak;

use crate::engine::Shared;
use crate::ports::{Sites, Transport};

/// Runs until the engine is gone.
pub(crate) async fn run<T: Transport, S: Sites>(engine: Weak<Shared<T, S>>) {
    while let Some(shared) = engine.upgrade() {
        let next = shared.state().pools.poll_timeout();
        match next {
            Some(at) if at <= shared.now() => shared.apply(|state, now| state.pools.handle_timeout(now)),
            Some(at) => {
                let at = shared.clock(at);
                tokio::select! {
                    () = tokio::time::sleep_until(at) => {}
                    () = shared.wake.notified() => {}
                }
            }
            None => {
                // Without a deadline there is nothing to do until a change makes one; look now and then whether the engine lives.
                let wake = shared.wake.notified();
                let idle = tokio::time::Duration::from_secs(60);
                let _ = tokio::time::timeout(idle, wake).await;
            }
        }
        drop(shared);
        tokio::task::yield_now().await;
    }
}
