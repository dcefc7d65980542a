//! The time limit of a call, which stands still while the call waits for memory.

use std::time::Duration;

use carousel_core::exchange::{CallError, NetworkError};
use tokio::time::Instant;

#[derive(Debug)]
pub(crate) struct Deadline {
    limit: Duration,
    at: Option<Instant>,
}

impl Deadline {
    /// From now on so long; a time that no clock can tell is no limit.
    pub(crate) fn after(limit: Duration) -> Self {
        Self { limit, at: Instant::now().checked_add(limit) }
    }

    /// Does this in the time that is left.
    pub(crate) async fn of<T>(&self, work: impl Future<Output = T>) -> Result<T, CallError> {
        let Some(at) = self.at else { return Ok(work.await) };
        let done = tokio::time::timeout_at(at, work).await;
        done.map_err(|_| CallError::Network(NetworkError::Timeout(self.limit)))
    }

    /// Waits for this, which takes none of the time that is left.
    pub(crate) async fn besides(&mut self, wait: impl Future<Output = ()>) {
        let since = Instant::now();
        wait.await;
        self.at = self.at.and_then(|at| at.checked_add(since.elapsed()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[tokio::test(start_paused = true)]
    async fn what_is_waited_besides_takes_none_of_the_time() {
        let mut deadline = Deadline::after(3 * SECOND);
        deadline.of(tokio::time::sleep(SECOND)).await.unwrap();
        deadline.besides(tokio::time::sleep(100 * SECOND)).await;
        deadline.of(tokio::time::sleep(SECOND)).await.unwrap();
        let error = deadline.of(tokio::time::sleep(2 * SECOND)).await.unwrap_err();
        assert_eq!(error, CallError::Network(NetworkError::Timeout(3 * SECOND)));
    }
}
