//! Fetches many requests, pool by pool: holds what was read ahead and starts whose turn it is.

use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use carousel_core::exchange::Request;
use carousel_core::id::PoolId;
use carousel_core::pool::Outlook;
use carousel_core::turns::{PoolKey, Turns, TurnsOptions};
use tokio::sync::mpsc;
use tokio::task::{Id, JoinError, JoinSet};

use crate::engine::Engine;
use crate::fetch::Enqueued;
use crate::lanes::{Known, Lanes, Line};
use crate::outcome::{Failure, Fetched};
use crate::ports::{Site, Sites, Transport};
use crate::prepared::{Prepared, Resting};

/// Who gets requests their answers: the engine, or a stand-in for it.
pub trait Fetcher: Clone + Send + Sync + 'static {
    /// A request of which the pool is known.
    type Prepared: Send + 'static;

    /// One that has its place in a queue.
    type Enqueued: Send + 'static;

    /// What is kept of it while it waits and its request can be had again.
    type Resting: Send + 'static;

    /// Finds out which pool a request needs, and does nothing else.
    fn prepare(&self, request: Request) -> Preparing<Self::Prepared>;

    /// The lane of a request, if a hook has to be asked for its pool; see [`Preparing`].
    fn lane(&self, request: &Request) -> Option<Arc<str>>;

    /// Drops what can be made again.
    fn rest(prepared: Self::Prepared) -> Self::Resting;

    /// Makes it again.
    fn wake(&self, request: Request, resting: Self::Resting) -> Self::Prepared;

    /// The request as its owner wrote it.
    fn request(prepared: &Self::Prepared) -> Arc<Request>;

    /// The pool whose sessions it needs; none where it needs no session.
    fn pool(prepared: &Self::Prepared) -> Option<PoolId>;

    /// Takes its place among those that wait, without waiting.
    fn enqueue(&self, prepared: Self::Prepared) -> Self::Enqueued;

    /// Fetches it.
    fn fetch(&self, enqueued: Self::Enqueued) -> impl Future<Output = Result<Fetched, Failure>> + Send;

    /// What a pool could take now, where so many requests for it are held back; or those requests that need none.
    fn outlook(&self, pool: &PoolKey, backlog: usize) -> Outlook;

    /// Hears of each pool that has changed, and of none where it is about those requests that need none.
    fn changes(&self) -> mpsc::UnboundedReceiver<PoolKey>;
}

/// A request whose pool is being found out.
pub enum Preparing<P> {
    /// It is known.
    Done(P),
    /// A hook is asked for it, elsewhere.
    Away {
        /// Requests of one lane, those that the same site's hooks are asked about, keep their order.
        lane: Arc<str>,
        /// Resolves when it is known.
        prepared: Pin<Box<dyn Future<Output = P> + Send>>,
    },
}

impl<P> Preparing<P> {
    /// Waits until the pool is known.
    pub async fn done(self) -> P {
        match self {
            Self::Done(prepared) => prepared,
            Self::Away { prepared, .. } => prepared.await,
        }
    }
}

impl<T: Transport, S: Sites> Fetcher for Engine<T, S> {
    type Prepared = Prepared<S>;
    type Enqueued = Enqueued<T, S>;
    type Resting = Resting<S>;

    fn prepare(&self, request: Request) -> Preparing<Prepared<S>> {
        Self::prepare(self, request)
    }

    fn lane(&self, request: &Request) -> Option<Arc<str>> {
        self.0.planner(request).map(|site| site.name().into())
    }

    fn rest(prepared: Prepared<S>) -> Resting<S> {
        prepared.rest()
    }

    fn wake(&self, request: Request, resting: Resting<S>) -> Prepared<S> {
        Self::wake(self, request, resting)
    }

    fn request(prepared: &Prepared<S>) -> Arc<Request> {
        Arc::clone(prepared.request())
    }

    fn pool(prepared: &Prepared<S>) -> Option<PoolId> {
        prepared.pool()
    }

    fn enqueue(&self, prepared: Prepared<S>) -> Enqueued<T, S> {
        Self::enqueue(self, prepared)
    }

    fn fetch(&self, enqueued: Enqueued<T, S>) -> impl Future<Output = Result<Fetched, Failure>> + Send {
        self.fetch_enqueued(enqueued)
    }

    fn outlook(&self, pool: &PoolKey, backlog: usize) -> Outlook {
        Self::outlook(self, pool, backlog)
    }

    fn changes(&self) -> mpsc::UnboundedReceiver<PoolKey> {
        Self::changes(self)
    }
}

/// Requests that wait for their turn, and those under way. `K` is what the caller knows a request by.
pub struct Bursts<F: Fetcher, K: Send + 'static> {
    fetcher: F,
    turns: Turns<Waiting<F, K>>,
    recall: Option<Recall<K>>,
    changes: mpsc::UnboundedReceiver<PoolKey>,
    /// Requests whose pools are not known yet.
    lanes: Lanes<F, K>,
    running: JoinSet<Done<K>>,
    /// The pools of the tasks, which a task that panics cannot tell.
    pools: HashMap<Id, PoolKey>,
}

/// Makes a request again of what the caller knows it by.
pub type Recall<K> = fn(&K) -> Option<Request>;

/// A request that waits: whole, or what is kept of it.
struct Waiting<F: Fetcher, K> {
    key: K,
    whole: Option<Box<F::Prepared>>,
    resting: Option<F::Resting>,
}

impl<F: Fetcher, K> Waiting<F, K> {
    fn rest(&mut self) {
        self.resting = self.whole.take().map(|prepared| F::rest(*prepared)).or(self.resting.take());
    }

    /// None if the request cannot be made again.
    fn wake(self, fetcher: &F, recall: Option<Recall<K>>) -> (K, Option<F::Prepared>) {
        let Self { key, whole, resting } = self;
        let prepared = match (whole, resting, recall) {
            (Some(whole), ..) => Some(*whole),
            (None, Some(resting), Some(recall)) => recall(&key).map(|request| fetcher.wake(request, resting)),
            _ => None,
        };
        (key, prepared)
    }
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
        Self {
            fetcher,
            turns: Turns::new(options),
            recall: None,
            changes,
            lanes: Lanes::default(),
            running: JoinSet::new(),
            pools: HashMap::new(),
        }
    }

    /// Requests that wait are not kept but made again when their turn comes, by this function. It must succeed for each that was
    /// added; one for which it does not is lost, as one that panics is.
    #[must_use]
    pub fn recalling(self, recall: Recall<K>) -> Self {
        Self { recall: Some(recall), ..self }
    }

    /// May another request be added?
    pub fn wants_more(&self) -> bool {
        self.turns.wants_more(self.lanes.len(), self.lanes.bytes())
    }

    /// Takes a request and starts what may start, this one perhaps. `bytes` is its share of the window.
    pub fn add(&mut self, key: K, request: Request, bytes: usize) {
        let line = Line { key, request, bytes };
        if let Some(known) = self.lanes.add(&self.fetcher, line, self.turns.is_ordered(), self.recall) {
            self.add_known(known);
        }
    }

    fn add_known(&mut self, Known { key, prepared, bytes }: Known<F, K>) {
        let Some(prepared) = prepared else {
            self.lose();
            return;
        };
        let pool = F::pool(&prepared);
        let waiting = Waiting { key, whole: Some(Box::new(prepared)), resting: None };
        if self.turns.add(pool.clone(), waiting, bytes) {
            self.look_at(&pool);
        }
        self.start_ready();
        if self.recall.is_some()
            && let Some(waiting) = self.turns.last_of(&pool)
        {
            waiting.rest();
        }
    }

    /// A request that cannot be made again: it ends as one that panics does.
    fn lose(&mut self) -> Id {
        let lost = self.running.spawn(std::future::pending());
        lost.abort();
        lost.id()
    }

    /// No more requests will come.
    pub fn end_of_input(&mut self) {
        self.turns.handle_end_of_input();
    }

    /// Does a request wait or run?
    pub fn is_busy(&self) -> bool {
        self.waiting() > 0 || !self.running.is_empty()
    }

    /// Requests under way.
    pub fn running(&self) -> usize {
        self.running.len()
    }

    /// Requests that wait for their turn.
    pub fn waiting(&self) -> usize {
        self.turns.waiting() + self.lanes.len()
    }

    /// Starts what may start and resolves with the next result; none when nothing waits or runs. The error is of a request
    /// that panicked, or could not be made again. Cancel-safe.
    pub async fn next(&mut self) -> Option<Result<Done<K>, JoinError>> {
        loop {
            self.start_ready();
            if !self.is_busy() {
                return None;
            }
            tokio::select! {
                biased;
                Some(done) = self.running.join_next_with_id() => return Some(self.done(done)),
                Some(known) = self.lanes.next(&self.fetcher, self.recall) => known.into_iter().for_each(|known| self.add_known(known)),
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

    /// Takes those out that wait.
    pub fn take_waiting(&mut self) -> Vec<K> {
        let known = self.turns.take_waiting().into_iter().map(|waiting| waiting.key);
        known.chain(self.lanes.take()).collect()
    }

    /// Abandons what is under way.
    pub async fn shutdown(&mut self) {
        self.running.shutdown().await;
    }

    fn start_ready(&mut self) {
        while let Some((pool, waiting)) = self.turns.poll_start() {
            let task = match waiting.wake(&self.fetcher, self.recall) {
                (key, Some(prepared)) => self.start(key, prepared),
                (_, None) => self.lose(),
            };
            self.pools.insert(task, pool.clone());
            self.look_at(&pool);
        }
    }

    /// Starts a request. It takes its place in a queue here, so that requests queue in this order whichever thread goes on with them,
    /// and the pool's outlook knows of it.
    fn start(&mut self, key: K, prepared: F::Prepared) -> Id {
        let (fetcher, request) = (self.fetcher.clone(), F::request(&prepared));
        let enqueued = fetcher.enqueue(prepared);
        let task = self.running.spawn(async move { Done { key, request, result: fetcher.fetch(enqueued).await } });
        task.id()
    }

    fn done(&mut self, done: Result<(Id, Done<K>), JoinError>) -> Result<Done<K>, JoinError> {
        let id = done.as_ref().map_or_else(JoinError::id, |(id, _)| *id);
        if let Some(pool) = self.pools.remove(&id) {
            self.turns.handle_done(&pool);
            self.look_at(&pool);
        }
        done.map(|(_, done)| done)
    }

    /// Tells whose turn it is what a pool could take now.
    fn look_at(&mut self, pool: &PoolKey) {
        if self.turns.knows(pool) {
            let outlook = self.fetcher.outlook(pool, self.turns.backlog(pool));
            self.turns.handle_outlook(pool, outlook);
        }
    }
}
