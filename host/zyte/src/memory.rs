//! Room for answers: reading one waits while those under way take all the memory there is for them.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use carousel_core::exchange::Hold;
use carousel_core::memory::{Memory, Reader};
use tokio::sync::Notify;

use crate::deadline::Deadline;

/// The memory of all answers of a client. Copies share it.
#[derive(Clone, Debug)]
pub(crate) struct Room(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    memory: Mutex<Memory>,
    /// Something is gone or kept, or one that waited goes on.
    changed: Notify,
}

impl Room {
    /// Room for so many bytes.
    pub(crate) fn new(bytes: u64) -> Self {
        Self(Arc::new(Shared { memory: Mutex::new(Memory::new(bytes)), changed: Notify::new() }))
    }

    /// An answer begins to arrive.
    pub(crate) fn begin(&self) -> Held {
        Held { room: self.clone(), reader: self.memory().handle_begin() }
    }

    /// The most bytes that were ever taken.
    pub(crate) fn peak(&self) -> u64 {
        self.memory().peak()
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.0.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, change: impl FnOnce(&mut Memory)) {
        change(&mut self.memory());
        self.0.changed.notify_waiters();
    }
}

/// The memory of one answer, which is free again when this is dropped.
#[derive(Debug)]
pub(crate) struct Held {
    room: Room,
    reader: Reader,
}

impl Held {
    /// Waits until there is room for more, which takes none of the call's time. Dropping the future takes nothing.
    pub(crate) async fn more(&self, bytes: usize, deadline: &mut Deadline) {
        if self.room.memory().handle_more(self.reader, bytes as u64) {
            return;
        }
        tracing::debug!("the answers under way take all of [crawl] memory; reading waits");
        deadline.besides(self.turn(bytes)).await;
        // Those behind it had to wait for it.
        self.room.0.changed.notify_waiters();
    }

    async fn turn(&self, bytes: usize) {
        loop {
            let changed = self.room.0.changed.notified();
            if self.room.memory().handle_more(self.reader, bytes as u64) {
                return;
            }
            changed.await;
        }
    }

    /// The answer has been read.
    pub(crate) fn read(&self) {
        self.room.memory().handle_read(self.reader);
    }
}

impl Hold for Held {
    fn keep(&self) {
        self.room.change(|memory| memory.handle_kept(self.reader));
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.room.change(|memory| memory.handle_gone(self.reader));
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[tokio::test(start_paused = true)]
    async fn waiting_for_memory_takes_none_of_the_time_of_a_call() {
        let room = Room::new(1000);
        let [first, second] = [room.begin(), room.begin()];
        let mut deadline = Deadline::after(2 * SECOND);
        first.more(1000, &mut deadline).await;
        first.read();
        let done = tokio::spawn(async move {
            second.more(1000, &mut deadline).await;
            deadline.of(tokio::time::sleep(SECOND)).await
        });
        tokio::time::sleep(1000 * SECOND).await;
        assert!(!done.is_finished(), "it waits for the first");
        drop(first);
        assert_eq!(done.await.unwrap(), Ok(()));
    }

    /// Each of those that wait goes on, in whatever order they were woken.
    #[tokio::test(start_paused = true)]
    async fn all_that_wait_go_on_one_after_the_other_and_nothing_is_left_taken() {
        let room = Room::new(1000);
        let mut calls = tokio::task::JoinSet::new();
        for number in 0..100_u32 {
            let held = room.begin();
            calls.spawn(async move {
                let mut deadline = Deadline::after(SECOND);
                for _ in 0..3 {
                    held.more(10 + 5 * number as usize, &mut deadline).await;
                    tokio::task::yield_now().await;
                }
                held.read();
                tokio::time::sleep(SECOND).await;
            });
        }
        let all = tokio::time::timeout(1000 * SECOND, calls.join_all()).await;
        assert_eq!((all.map(|all| all.len()), room.memory().held()), (Ok(100), 0));
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_that_is_given_up_while_it_waits_holds_up_nobody() {
        let room = Room::new(100 * carousel_core::memory::TIMES);
        let [first, given_up, last] = [room.begin(), room.begin(), room.begin()];
        let mut deadline = Deadline::after(SECOND);
        first.more(50, &mut deadline).await;
        first.read();
        assert!(tokio::time::timeout(SECOND, given_up.more(60, &mut deadline)).await.is_err());
        let last = tokio::spawn(async move { last.more(50, &mut Deadline::after(SECOND)).await });
        tokio::task::yield_now().await;
        assert!(!last.is_finished(), "it waits behind the one that waits");
        drop(given_up);
        last.await.unwrap();
    }
}
