//! A scope for which the API was too busy: how fast calls may follow each other there.

use std::time::Duration;

use super::Pick;
use crate::time::Instant;

/// Of the calls that the API has lately taken, so many may follow.
const GENTLE: f64 = 0.9;

/// What is left of the rate at least, where that of calls taken is known from before.
const STEP: f64 = 0.8;

/// What is left of the rate where nothing has been answered since it was last lowered.
const HARD: f64 = 0.5;

/// Calls a second where none has been taken lately.
const UNKNOWN: f64 = 1.0;

/// Calls a second at least.
const LEAST: f64 = 0.1;

/// The rate grows slowly at first and ever faster: by a tenth in a third of this time, by 2.7 in all of it. In a slow scope this is
/// the time of so many calls.
const GROWTH: Duration = Duration::from_secs(20);
const GROWTH_CALLS: f64 = 20.0;

/// So many times the rate that the API took, and it is over.
const OVER: f64 = 4.0;

/// A call that the API was too busy for.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) sent: Instant,
    /// The pause that the answer asks for.
    pub(super) asked: Option<Duration>,
    /// How many calls a second the API takes.
    pub(super) taken: f64,
    /// No other call of the scope is under way.
    pub(super) is_last: bool,
}

/// Clocks wake by so much too late.
const LATE: Duration = Duration::from_millis(5);

#[derive(Debug)]
pub(super) struct Slowed {
    /// No call starts before.
    until: Instant,
    /// Nor before this moment, which keeps calls apart.
    next: Instant,
    /// Nobody who was refused has to wait for longer.
    again: Instant,
    /// Calls that were sent before this moment have been heard already.
    since: Instant,
    /// Calls that were sent since.
    sent: u32,
    /// Slowings since the scope was free.
    slowings: u32,
    /// Slowings in a row without a call in between that was taken.
    in_a_row: u32,
    /// Calls a second after the last slowing.
    rate: f64,
}

impl Slowed {
    /// Before the first busy answer is counted.
    pub(super) fn at_first(now: Instant) -> Self {
        Self { until: now, next: now, again: now, since: Instant::START, sent: 0, slowings: 0, in_a_row: 0, rate: f64::MAX }
    }

    /// A busy answer. Returns the pause of this call, and whether it is news.
    pub(super) fn busy(&mut self, refusal: &Refusal, pick: Pick, now: Instant) -> (Duration, bool) {
        let is_new = refusal.sent >= self.since;
        let reached = self.rate * self.growth(now);
        if is_new {
            let is_taking = self.sent > self.without_a_word(refusal.sent, now);
            self.in_a_row = if is_taking { 1 } else { self.in_a_row.saturating_add(1) };
            self.slowings = self.slowings.saturating_add(1);
            (self.since, self.sent) = (now, 0);
        }
        let pause = refusal.asked.unwrap_or_else(|| pick.pause(self.in_a_row));
        self.rate = self.lowered(refusal.taken, reached, is_new).max(LEAST);
        self.next = self.next.max(now + self.interval(now));
        // Whoever asks for no pause gets a second try before everybody stops.
        let is_hopeless = refusal.is_last && refusal.taken < LEAST;
        let stops = if refusal.asked.is_some() { self.in_a_row > 1 || is_hopeless } else { self.in_a_row > 2 };
        if stops {
            self.until = self.until.max(now + pause);
        }
        self.again = self.again.max(now + pause);
        (pause, is_new)
    }

    /// The rate after a busy answer, where `taken` were taken lately and the rate had reached so much.
    fn lowered(&self, taken: f64, reached: f64, is_new: bool) -> f64 {
        let gentle = if taken < LEAST { UNKNOWN } else { taken * GENTLE };
        match self.in_a_row {
            ..=1 if self.slowings == 1 => reached.min(gentle),
            ..=1 if is_new => reached.min(gentle.max(reached * STEP)),
            _ if is_new => reached * HARD,
            _ => self.rate,
        }
    }

    /// A good answer. Returns whether it is over, unless somebody waits.
    pub(super) fn answered(&mut self, now: Instant) -> bool {
        self.in_a_row = 0;
        self.growth(now) >= OVER
    }

    /// Has a call been answered since the API was last too busy?
    pub(super) fn takes_calls(&self) -> bool {
        self.in_a_row == 0
    }

    /// Until when nothing starts.
    pub(super) fn pauses_until(&self) -> Instant {
        self.until
    }

    /// When the next call may start.
    pub(super) fn opens(&self) -> Instant {
        self.until.max(self.next)
    }

    /// A call may start. One that comes late does not delay those that follow.
    pub(super) fn let_in(&mut self, now: Instant) {
        self.next = self.next.max(now - LATE) + self.interval(now);
    }

    /// A call was sent.
    pub(super) fn sent(&mut self) {
        self.sent = self.sent.saturating_add(1);
    }

    /// How many calls may have been sent since the one that was sent then, itself included. What was sent before it and is not refused by
    /// now has been taken.
    fn without_a_word(&self, sent: Instant, now: Instant) -> u32 {
        ((now.since(sent).as_secs_f64() / self.interval(now).as_secs_f64()) as u32).saturating_add(1)
    }

    fn interval(&self, now: Instant) -> Duration {
        Duration::from_secs_f64(1.0 / (self.rate * self.growth(now)))
    }

    /// Has so much time passed that it is over also if no call was answered?
    pub(super) fn has_faded(&self, now: Instant) -> bool {
        self.growth_since(self.since.max(self.until).max(self.again), now) >= OVER
    }

    fn growth(&self, now: Instant) -> f64 {
        self.growth_since(self.since.max(self.until), now)
    }

    fn growth_since(&self, since: Instant, now: Instant) -> f64 {
        let length = GROWTH.as_secs_f64().max(GROWTH_CALLS / self.rate);
        let time = now.since(since).as_secs_f64() / length;
        (time * time).min(10.0).exp()
    }
}
