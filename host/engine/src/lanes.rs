//! Requests that were read and whose pools are not known yet, because a hook is slow to tell: each site's in a lane of its own, in
//! which they keep their order, so that those of other sites pass.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use carousel_core::exchange::Request;
use tokio::task::{Id, JoinSet};

use crate::bursts::{Fetcher, Preparing, Recall};

/// Requests of one lane that are asked about at once; further ones are kept as little as can be.
const ASKED_AT_ONCE: usize = 16;

/// A request that was read.
pub(crate) struct Line<K> {
    pub(crate) key: K,
    pub(crate) request: Request,
    pub(crate) bytes: usize,
}

/// A request whose pool is known; none where it could not be made again.
pub(crate) struct Known<F: Fetcher, K> {
    pub(crate) key: K,
    pub(crate) prepared: Option<F::Prepared>,
    pub(crate) bytes: usize,
}

/// The lanes in which something waits. Their owner bounds how much that is.
pub(crate) struct Lanes<F: Fetcher, K> {
    lanes: HashMap<Arc<str>, Lane<F, K>>,
    asking: JoinSet<F::Prepared>,
    /// Whose request each of these tasks is about.
    asked: HashMap<Id, (Arc<str>, u64)>,
    len: usize,
    bytes: usize,
}

struct Lane<F: Fetcher, K> {
    waiting: VecDeque<Slot<F, K>>,
    /// The number of the first one.
    first: u64,
}

struct Slot<F: Fetcher, K> {
    key: K,
    bytes: usize,
    state: State<F>,
}

enum State<F: Fetcher> {
    /// Nobody was asked yet. None: the request is made again first.
    Read(Option<Box<Request>>),
    Asked,
    /// None: it could not be made again, or whoever made it panicked.
    Known(Option<Box<F::Prepared>>),
}

impl<F: Fetcher, K> Default for Lanes<F, K> {
    fn default() -> Self {
        Self { lanes: HashMap::new(), asking: JoinSet::new(), asked: HashMap::new(), len: 0, bytes: 0 }
    }
}

impl<F: Fetcher, K> Lanes<F, K> {
    /// Requests that wait here.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Their bytes.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Takes a request, and gives it back where its pool is known at once. Where the order `is_strict` nothing passes anything.
    pub(crate) fn add(&mut self, fetcher: &F, line: Line<K>, is_strict: bool, recall: Option<Recall<K>>) -> Option<Known<F, K>> {
        let Line { key, request, bytes } = line;
        let name = |own: Option<Arc<str>>| if is_strict { Some("".into()) } else { own };
        let busy = if self.len > 0 { name(fetcher.lane(&request)).filter(|lane| self.lanes.contains_key(lane)) } else { None };
        if let Some(lane) = busy {
            let is_soon = self.lanes.get(&lane).is_some_and(|lane| lane.waiting.len() < ASKED_AT_ONCE);
            let kept = (is_soon || recall.is_none()).then(|| Box::new(request));
            self.push(&lane, Slot { key, bytes, state: State::Read(kept) });
            if is_soon {
                self.ask(&lane, fetcher, recall);
            }
            return None;
        }
        match fetcher.prepare(request) {
            Preparing::Done(prepared) => Some(Known { key, prepared: Some(prepared), bytes }),
            Preparing::Away { lane, prepared } => {
                let lane = name(Some(lane))?;
                let number = self.push(&lane, Slot { key, bytes, state: State::Asked });
                let task = self.asking.spawn(prepared);
                self.asked.insert(task.id(), (lane, number));
                None
            }
        }
    }

    /// The number of the slot in its lane.
    fn push(&mut self, lane: &Arc<str>, slot: Slot<F, K>) -> u64 {
        self.len += 1;
        self.bytes += slot.bytes;
        let lane = self.lanes.entry(Arc::clone(lane)).or_insert_with(|| Lane { waiting: VecDeque::new(), first: 0 });
        lane.waiting.push_back(slot);
        lane.first + lane.waiting.len() as u64 - 1
    }

    /// Asks about the first requests of a lane.
    fn ask(&mut self, name: &Arc<str>, fetcher: &F, recall: Option<Recall<K>>) {
        let Some(lane) = self.lanes.get_mut(name) else { return };
        for (number, slot) in (lane.first..).zip(lane.waiting.iter_mut()).take(ASKED_AT_ONCE) {
            let State::Read(request) = &mut slot.state else { continue };
            let kept = request.take().map(|request| *request);
            let Some(request) = kept.or_else(|| recall.and_then(|recall| recall(&slot.key))) else {
                slot.state = State::Known(None);
                continue;
            };
            slot.state = match fetcher.prepare(request) {
                Preparing::Done(prepared) => State::Known(Some(Box::new(prepared))),
                Preparing::Away { prepared, .. } => {
                    let task = self.asking.spawn(prepared);
                    self.asked.insert(task.id(), (Arc::clone(name), number));
                    State::Asked
                }
            };
        }
    }

    /// Waits for the next answer, and gives the requests whose turn in their lane it is, if any. None where nothing is asked.
    /// Cancel-safe.
    pub(crate) async fn next(&mut self, fetcher: &F, recall: Option<Recall<K>>) -> Option<Vec<Known<F, K>>> {
        let answered = self.asking.join_next_with_id().await?;
        let (id, mut prepared) = match answered {
            Ok((id, prepared)) => (id, Some(Box::new(prepared))),
            Err(error) => (error.id(), None),
        };
        let Some((name, number)) = self.asked.remove(&id) else { return Some(Vec::new()) };
        if let Some(lane) = self.lanes.get_mut(&name) {
            let slot = usize::try_from(number - lane.first).ok().and_then(|place| lane.waiting.get_mut(place));
            slot.into_iter().for_each(|slot| slot.state = State::Known(prepared.take()));
        }
        let mut known = Vec::new();
        // What is asked about next may be known at once.
        while self.take_known(&name, &mut known) {
            self.ask(&name, fetcher, recall);
        }
        Some(known)
    }

    /// Takes those out of a lane whose turn it is; false where nothing was left to ask about.
    fn take_known(&mut self, name: &Arc<str>, known: &mut Vec<Known<F, K>>) -> bool {
        let Some(lane) = self.lanes.get_mut(name) else { return false };
        while let Some(Slot { key, bytes, state }) = lane.waiting.pop_front_if(|slot| matches!(slot.state, State::Known(_))) {
            lane.first += 1;
            self.len -= 1;
            self.bytes -= bytes;
            let prepared = if let State::Known(prepared) = state { prepared.map(|prepared| *prepared) } else { None };
            known.push(Known { key, prepared, bytes });
        }
        let is_to_ask = lane.waiting.iter().take(ASKED_AT_ONCE).any(|slot| matches!(slot.state, State::Read(_)));
        if lane.waiting.is_empty() {
            self.lanes.remove(name);
        }
        is_to_ask
    }

    /// Takes all of them out.
    pub(crate) fn take(&mut self) -> Vec<K> {
        self.asking.abort_all();
        self.asked.clear();
        (self.len, self.bytes) = (0, 0);
        std::mem::take(&mut self.lanes).into_values().flat_map(|lane| lane.waiting).map(|slot| slot.key).collect()
    }
}
