//! When a pool opens another session, and what a failed initialisation leads to.
//!
//! An initialisation is a browser request: it takes seconds and is billed. So the thrifty rule opens another session only if
//! the requests that wait would, at the pace measured here, need longer than opening a session has taken.

use std::time::Duration;

use super::{Action, Opening, Pool, Refusal, Start};
use crate::chance::Chance;
use crate::settings::{Growth, OnBadInits};
use crate::time::Instant;

/// How long things take in this pool, smoothed.
#[derive(Clone, Debug, Default)]
pub(super) struct Pace {
    pub(super) open: Option<Duration>,
    use_: Option<Duration>,
}

impl Pace {
    pub(super) fn opened(&mut self, took: Duration) {
        self.open = Some(smooth(self.open, took));
    }

    pub(super) fn used(&mut self, took: Duration) {
        self.use_ = Some(smooth(self.use_, took));
    }
}

fn smooth(so_far: Option<Duration>, new: Duration) -> Duration {
    so_far.map_or(new, |old| old.mul_f64(0.7) + new.mul_f64(0.3))
}

impl<T: Clone> Pool<T> {
    pub(super) fn grow(&mut self, now: Instant, chance: &mut Chance) {
        if self.closed.is_some() || self.cannot_open(now).is_some() {
            return;
        }
        if self.options.growth == Growth::Eager {
            return self.grow_eagerly(now, chance);
        }
        if self.waiting.is_empty() {
            return;
        }
        for _ in 0..self.missing(now).min(self.waiting.len().saturating_sub(self.opening.len())) {
            if let Some(first) = self.waiting.pop_front_if(|waiter| waiter.start == Start::ByUse) {
                self.begin(first, None, now, chance);
                continue;
            }
            // The first ones in the queue will be carried by the sessions that are being opened already.
            let carried = self.options.max_in_flight.map_or(0, |limit| self.carried(limit.get() as usize));
            let Some(waiter) = self.waiting.get(carried).or(self.waiting.front()) else { return };
            let (trigger, asker) = (waiter.trigger.clone(), waiter.ticket);
            self.open(trigger, None, Some(asker), now, chance);
        }
    }

    /// Places that became free while requests wait are filled for them. (A request that arrives fills one by itself.)
    fn grow_eagerly(&mut self, now: Instant, chance: &mut Chance) {
        while self.may_start(now) {
            let Some(waiter) = self.waiting.pop_front() else { return };
            self.unstarted -= 1;
            self.open_for(waiter, now, chance);
        }
    }

    /// Why no session can be opened now, if so.
    pub(super) fn cannot_open(&self, now: Instant) -> Option<Refusal> {
        let cooling = self.breaker.refuses(now).map(|until| self.breaker.refusal(Some(until.since(now))));
        let unaffordable = self.unaffordable.then_some(Refusal::Budget);
        self.winding_down.clone().or(cooling).or(unaffordable)
    }

    /// How many sessions more the requests deserve.
    pub(super) fn missing(&self, now: Instant) -> usize {
        if self.cannot_open(now).is_some() {
            return 0;
        }
        let free = (self.options.size as usize).saturating_sub(self.sessions.len() + self.opening.len());
        let missing = self.wanted(now).saturating_sub(self.usable_soon(now)).min(free);
        if self.breaker.waits_for_a_page() {
            // Only a good page closes it, so one session at a time tries for one.
            return missing.min(1_usize.saturating_sub(self.opening.len() + self.sessions.len()));
        }
        // One at a time may try whether the circuit can be closed, however many sessions live still.
        if self.breaker.is_trying() { missing.min(1_usize.saturating_sub(self.opening.len())) } else { missing }
    }

    fn usable_soon(&self, now: Instant) -> usize {
        self.sessions.iter().filter(|session| !self.needs_successor(session, now)).count() + self.opening.len()
    }

    /// How many sessions the requests here and with the owner deserve, those there are included.
    fn wanted(&self, now: Instant) -> usize {
        let have = self.usable_soon(now);
        match self.options.growth {
            Growth::OnDemand => {
                let creating = self.creating();
                let there = have.saturating_sub(self.opening.len() + creating);
                there + self.sessions_for(self.waiting.len() + creating + self.backlog)
            }
            Growth::Thrifty => self.sessions_in_time().unwrap_or(have).max(1),
            Growth::Eager => have,
        }
    }

    /// How many of those who wait will be carried by sessions on their way.
    fn carried(&self, limit: usize) -> usize {
        self.opening.len() * limit + self.creating() * (limit - 1)
    }

    /// Sessions that could carry this many requests at once.
    fn sessions_for(&self, requests: usize) -> usize {
        self.options.max_in_flight.map_or(1, |limit| requests.div_ceil(limit.get() as usize))
    }

    /// Sessions with which the waiting requests would be served within the time that opening one takes; none while too little
    /// is known, or where one session carries any number.
    fn sessions_in_time(&self) -> Option<usize> {
        let each = self.pace_of_one()?;
        let open = self.pace.open?.as_secs_f64();
        let needed = (self.waiting.len() + self.backlog) as f64 / (each * open.max(f64::EPSILON));
        Some(if needed.is_finite() { needed.ceil() as usize } else { usize::MAX })
    }

    /// Requests per second that one session serves.
    fn pace_of_one(&self) -> Option<f64> {
        let by_delay = (!self.options.delay.is_zero()).then(|| 1.0 / self.options.delay.as_secs_f64());
        let use_ = self.pace.use_?.as_secs_f64().max(f64::EPSILON);
        let by_use = self.options.max_in_flight.map(|limit| f64::from(limit.get()) / use_);
        match (by_delay, by_use) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        }
    }

    pub(super) fn bad_init(&mut self, opening: Opening<T>, now: Instant, chance: &mut Chance) {
        if !self.breaker.bad(&self.options, now) {
            if self.options.growth == Growth::Eager {
                self.open(opening.trigger, opening.owner, None, now, chance);
            }
            return;
        }
        self.give_up_opening_for_good(&opening, now);
    }

    /// A bad initialisation that is the fault of the request it was made for, or of all of the pool: the next one is for another request.
    pub(super) fn refused_init(&mut self, opening: &Opening<T>, now: Instant) {
        self.refuse_asker(opening, Refusal::BadInit);
        match self.breaker.bad(&self.options, now) {
            true => self.give_up_opening_for_good(opening, now),
            false => self.give_up_opening(opening, &Refusal::BadInit),
        }
    }

    /// Refuses the request for which a session was to be opened, if it still waits.
    pub(super) fn refuse_asker(&mut self, opening: &Opening<T>, why: Refusal) {
        let place = opening.asker.and_then(|ticket| self.place_of(ticket).ok());
        if let Some(waiter) = place.and_then(|index| self.waiting.remove(index)) {
            self.actions.push_back(Action::Refuse { ticket: waiter.ticket, why });
        }
    }

    /// A bad initialisation after which the next one is not to come at once.
    pub(super) fn bad_init_for(&mut self, index: usize, pause: Duration, now: Instant, chance: &mut Chance) {
        if self.breaker.bad(&self.options, now) {
            let opening = self.opening.swap_remove(index);
            self.give_up_opening_for_good(&opening, now);
        } else {
            self.pause_opening(index, Some(pause), now, chance);
        }
    }

    /// The API had no session for it: tried again later, unless that has gone on for too long.
    pub(super) fn miss_opening(&mut self, index: usize, pause: Option<Duration>, now: Instant, chance: &mut Chance) {
        let Some(since) = self.opening.get_mut(index).map(|opening| *opening.lacking_since.get_or_insert(now)) else { return };
        if self.breaker.unavailable(since, &self.options, now) {
            let opening = self.opening.swap_remove(index);
            self.give_up_opening_for_good(&opening, now);
        } else {
            self.pause_opening(index, pause, now, chance);
        }
    }

    /// One bad initialisation too many.
    fn give_up_opening_for_good(&mut self, opening: &Opening<T>, now: Instant) {
        let why = self.breaker_refusal(now);
        self.give_up_opening(opening, &why);
        self.stop_opening(why);
    }

    /// What those are told who are refused because of one too many.
    pub(super) fn breaker_refusal(&self, now: Instant) -> Refusal {
        let closes = self.options.on_bad_inits == OnBadInits::CloseCrawl;
        self.breaker.refusal(self.breaker.refuses(now).filter(|_| !closes).map(|until| until.since(now)))
    }

    /// Nothing is opened any more, for the time being or for good.
    pub(super) fn stop_opening(&mut self, why: Refusal) {
        if self.options.on_bad_inits == OnBadInits::CloseCrawl {
            self.handle_close(why);
            self.actions.push_back(Action::CloseCrawl);
        } else {
            self.give_up_paused_openings(&why);
        }
    }

    /// The request that opened it is refused. In eager growth its place is free again for a later one.
    pub(super) fn give_up_opening(&mut self, opening: &Opening<T>, why: &Refusal) {
        self.unstarted += u32::from(self.options.growth == Growth::Eager);
        self.refuse_owner(opening, why);
    }

    /// While the circuit is open nothing is tried, and afterwards by one only.
    fn give_up_paused_openings(&mut self, why: &Refusal) {
        let (paused, opening) = std::mem::take(&mut self.opening).into_iter().partition(|opening| opening.paused_until.is_some());
        self.opening = opening;
        let paused: Vec<Opening<T>> = paused;
        paused.iter().for_each(|opening| self.give_up_opening(opening, why));
    }

    /// An initialisation that has not called yet, for which nobody waits any more, is not worth its call.
    pub(super) fn give_up_needless_openings(&mut self) {
        if self.options.growth == Growth::Eager || !self.waiting.is_empty() || self.backlog > 0 {
            return;
        }
        let is_needless = |opening: &Opening<T>| opening.called.is_none() && opening.paused_until.is_none();
        for opening in self.opening.extract_if(.., |opening| is_needless(opening)) {
            self.actions.push_back(Action::Cancel { session: opening.session });
        }
    }

    /// It is tried again after this pause, or the one that is usual where the API has no session.
    pub(super) fn pause_opening(&mut self, index: usize, pause: Option<Duration>, now: Instant, chance: &mut Chance) {
        if let Some(why) = self.cannot_open(now) {
            let opening = self.opening.swap_remove(index);
            return self.give_up_opening(&opening, &why);
        }
        let Some(opening) = self.opening.get_mut(index) else { return };
        opening.paused_until = Some(now + pause.unwrap_or(self.options.creation_retry_delay));
        self.resume_openings(now, chance);
    }

    /// It was put off once more: tried again later, or a bad initialisation if that goes on for too long.
    pub(super) fn put_off_opening(&mut self, index: usize, pause: Duration, now: Instant, chance: &mut Chance) {
        if self.breaker.put_off(&self.options) {
            let opening = self.opening.swap_remove(index);
            self.bad_init(opening, now, chance);
        } else {
            self.pause_opening(index, Some(pause), now, chance);
        }
    }

    /// Tries the paused initialisations again that are due, under new ids; those that nobody waits for are dropped.
    pub(super) fn resume_openings(&mut self, now: Instant, chance: &mut Chance) {
        let (due, opening) = std::mem::take(&mut self.opening)
            .into_iter()
            .partition(|opening: &Opening<T>| opening.paused_until.is_some_and(|until| until <= now));
        self.opening = opening;
        let due: Vec<Opening<T>> = due;
        for opening in due {
            let cannot = self.cannot_open(now);
            if let Some(why) = &self.winding_down {
                let why = why.clone();
                self.give_up_opening(&opening, &why);
            } else if opening.start == Start::ByUse {
                self.resume_by_waiter(&opening, now, chance);
            } else if let Some(why) = cannot.filter(|_| self.options.growth == Growth::Eager) {
                self.give_up_opening(&opening, &why);
            } else if self.options.growth == Growth::Eager || !self.waiting.is_empty() {
                self.open(opening.trigger, opening.owner, opening.asker, now, chance);
                self.opening.iter_mut().last().into_iter().for_each(|anew| anew.lacking_since = opening.lacking_since);
            }
        }
    }
}
