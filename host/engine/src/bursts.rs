//! Fetches many requests, pool by pool: holds what was read ahead and starts whose turn it is.

use std::collections::HashMap;
use std::future::Future;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use carousel_core::exchange::Request;
use carousel_core::id::PoolId;
use carousel_core::pool::Outlook;
use carousel_core::turns::{PoolKey, Turns, TurnsOptions};
use tokio::sync::mpsc;
use tokio::task::{Id, JoinError, JoinSet};

use crate::engine::Engine;
use crate::outcome::{Failure, Fetched};
use crate::ports::{Sites, Transport};
use crate::prepared::Prepared;

/// Who gets requests their answers: the engine, or a stand-in for it.
pub trait Fetcher: Clone + Send + Sync + 'static {
    /// A request of which the pool is known.
    type Prepared: Send + 'static;

    /// Finds out which pool a request needs, and does nothing else.
    fn prepare(&self, request: Request) -> Self::Prepared;

    /// The request as its owner wrote it.
    fn request(prepared: &Self::Prepared) -> Arc<Request>;

    /// The pool whose sessions it needs; none where it needs no session.
    fn pool(prepared: &Self::Prepared) -> Option<PoolId>;

    /// Fetches it.
    fn fetch(&self, prepared: Self::Prepared) -> impl Future<Output = Result<Fetched, Failure>> + Send;

    /// What a pool could take now, where so many requests for it are held back.
    fn outlook(&self, pool: &PoolId, backlog: usize) -> Outlook;

    /// Hears of each pool that has changed.
    fn changes(&self) -> mpsc::UnboundedReceiver<PoolId>;
}

impl<T: Transport, S: Sites> Fetcher for Engine<T, S> {
    type Prepared = Prepared<S>;

    fn prepare(&self, request: Request) -> Prepared<S> {
        Self::prepare(self, request)
    }

    fn request(prepared: &Prepared<S>) -> Arc<Request> {
        Arc::clone(prepared.request())
    }

    fn pool(prepared: &Prepared<S>) -> Option<PoolId> {
        prepared.pool()
    }

    fn fetch(&self, prepared: Prepared<S>) -> impl Future<Output = Result<Fetched, Failure>> + Send {
        self.fetch_prepared(prepared)
    }

    fn outlook(&self, pool: &PoolId, backlog: usize) -> Outlook {
        Self::outlook(self, pool, backlog)
    }

    fn changes(&self) -> mpsc::UnboundedReceiver<PoolId> {
        Self::changes(self)
    }
}

/// Requests that wait for their turn, and those under way. `K` is what the caller knows a request by.
pub struct Bursts<F: Fetcher, K: Send + 'static> {
    fetcher: F,
    turns: Turns<(K, F::Prepared)>,
    changes: mpsc::UnboundedReceiver<PoolId>,
    running: JoinSet<Done<K>>,
    /// The pools of the tasks, which a task that panics cannot tell.
    pools: HashMap<Id, PoolKey>,
}

/// A request that has its result.
pub struct Done<K> {
    /// What the caller knows it by.
    pub key: K,
    /// The request as its owner wrote it.
    pub request: Arc<Request>,
    /// What became of it.
    pub result: Result<Fetched, Failure>,
}

impl<F: Fetcher, K: Send + 'static> Bursts<F, K> {
    /// Nothing waits yet.
    pub fn new(fetcher: F, options: TurnsOptions) -> Self {
        let changes = fetcher.changes();
        Self { fetcher, turns: Turns::new(options), changes, running: JoinSet::new(), pools: HashMap::new() }
    }

    /// May another request be added?
    pub fn wants_more(&self) -> bool {
        self.turns.wants_more()
    }

    /// Takes a request and starts what may start, this one perhaps. `bytes` is its share of the window.
    pub fn add(&mut self, key: K, request: Request, bytes: usize) {
        let prepared = self.fetcher.prepare(request);
        let pool = F::pool(&prepared);
        if self.turns.add(pool.clone(), (key, prepared), bytes)
            && let Some(pool) = &pool
        {
            self.look_at(pool);
        }
        self.start_ready();
    }

    /// No more requests will come.
    pub fn end_of_input(&mut self) {
        self.turns.handle_end_of_input();
    }

    /// Does a request wait or run?
    pub fn is_busy(&self) -> bool {
        self.turns.waiting() > 0 || !self.running.is_empty()
    }

    /// Requests under way.
    pub fn running(&self) -> usize {
        self.running.len()
    }

    /// Requests that wait for their turn.
    pub fn waiting(&self) -> usize {
        self.turns.waiting()
    }

    /// Starts what may start and resolves with the next result; none when nothing waits or runs. The error is of a request
    /// that panicked. Cancel-safe.
    pub async fn next(&mut self) -> Option<Result<Done<K>, JoinError>> {
        loop {
            self.start_ready();
            if !self.is_busy() {
                return None;
            }
            tokio::select! {
                biased;
                Some(done) = self.running.join_next_with_id() => return Some(self.done(done)),
                Some(pool) = self.changes.recv() => self.look_at(&pool),
                else => return None,
            }
        }
    }

    /// Starts nothing more and resolves with the next result of what is under way; none where nothing is. Cancel-safe.
    pub async fn next_running(&mut self) -> Option<Result<Done<K>, JoinError>> {
        let done = self.running.join_next_with_id().await?;
        Some(self.done(done))
    }

    /// Takes those out that wait: what is known of each, and its request.
    pub fn take_waiting(&mut self) -> Vec<(K, Arc<Request>)> {
        self.turns.take_waiting().into_iter().map(|(key, prepared)| (key, F::request(&prepared))).collect()
    }

    /// Abandons what is under way.
    pub async fn shutdown(&mut self) {
        self.running.shutdown().await;
    }

    fn start_ready(&mut self) {
        while let Some((pool, (key, prepared))) = self.turns.poll_start() {
            self.start(pool.clone(), key, prepared);
            if let Some(pool) = &pool {
                self.look_at(pool);
            }
        }
    }

    /// Starts a request. Its first step, up to its place in a pool's queue, is done here, so that requests queue in this order
    /// whichever thread goes on with them, and the pool's outlook knows of it.
    fn start(&mut self, pool: PoolKey, key: K, prepared: F::Prepared) {
        let fetcher = self.fetcher.clone();
        let mut fetch = Box::pin(async move {
            let request = F::request(&prepared);
            let result = fetcher.fetch(prepared).await;
            Done { key, request, result }
        });
        let task = match fetch.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(done) => self.running.spawn(std::future::ready(done)),
            Poll::Pending => self.running.spawn(fetch),
        };
        self.pools.insert(task.id(), pool);
    }

    fn done(&mut self, done: Result<(Id, Done<K>), JoinError>) -> Result<Done<K>, JoinError> {
        let id = done.as_ref().map_or_else(JoinError::id, |(id, _)| *id);
        if let Some(pool) = self.pools.remove(&id) {
            self.turns.handle_done(&pool);
            if let Some(pool) = &pool {
                self.look_at(pool);
            }
        }
        done.map(|(_, done)| done)
    }

    /// Tells whose turn it is what a pool could take now.
    fn look_at(&mut self, pool: &PoolId) {
        if self.turns.knows(pool) {
            let outlook = self.fetcher.outlook(pool, self.turns.backlog(pool));
            self.turns.handle_outlook(pool, outlook);
        }
    }
}
