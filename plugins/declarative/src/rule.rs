//! What must hold of an answer, and what it means where it does not.

use carousel_guest::prelude::*;

use crate::condition::{About, Condition};
use crate::reading::{Field, Table};
use crate::save::When;
use crate::scope::{Place, Scope};
use crate::template::Template;

/// One rule of `check`.
#[derive(Clone, Debug)]
pub(crate) struct Rule {
    on: When,
    when: Option<Condition>,
    require: Condition,
    otherwise: Otherwise,
}

/// What a broken rule means.
#[derive(Clone, Debug)]
pub(crate) enum Otherwise {
    Discard(Template),
    Reject(Template),
    /// Seconds to leave the session alone.
    Throttled(f64),
    ClosePool(Template),
    CloseCrawl(Template),
}

/// What a broken rule may mean.
const WORDS: [&str; 5] = ["discard", "reject", "throttled", "close_pool", "close_crawl"];

/// Seconds of rest where `otherwise = "throttled"` gives none.
const REST: f64 = 10.0;

impl Rule {
    /// Reads a rule about any answer.
    pub(crate) fn read(field: Field<'_>) -> Result<Self> {
        let mut table = field.table()?;
        let on = table.get("on").map_or(Ok(When::Any), |field| When::read(&field))?;
        let rule = Self::read_rest(&mut table, on)?;
        table.done()?;
        Ok(rule)
    }

    /// Reads a rule about the answer of a step of a chain, which ends the session or more.
    pub(crate) fn of_step(field: Field<'_>) -> Result<Self> {
        let mut table = field.table()?;
        let rule = Self::read_rest(&mut table, When::Any)?;
        if matches!(rule.otherwise, Otherwise::Reject(_) | Otherwise::Throttled(_)) {
            return Err(table.fault("there is no page yet to reject or to ask for later: use discard, close_pool or close_crawl"));
        }
        table.done()?;
        Ok(rule)
    }

    fn read_rest(table: &mut Table<'_>, on: When) -> Result<Self> {
        let when = table.get("when").map(|field| Condition::read(field, About::Answer)).transpose()?;
        let Some(require) = table.get("require") else { return Err(table.fault("a rule needs require = { ... }")) };
        let require = Condition::read(require, About::Answer)?;
        let otherwise = table.get("otherwise").map(Otherwise::read).transpose()?;
        Ok(Self { on, when, require, otherwise: otherwise.unwrap_or_else(Otherwise::usual) })
    }

    /// The verdict on an answer that breaks the rule.
    fn broken(&self, scope: &Scope<'_>) -> Result<Option<Verdict>> {
        if !self.on.is(scope.request) {
            return Ok(None);
        }
        if let Some(when) = &self.when
            && !when.ask(scope)?.holds
        {
            return Ok(None);
        }
        let outcome = self.require.ask(scope)?;
        if outcome.holds {
            return Ok(None);
        }
        self.otherwise.verdict(&scope.with_found(outcome.found.filter(|found| !found.trim().is_empty()))).map(Some)
    }
}

/// The verdict of the first rule that is broken.
pub(crate) fn first_broken(rules: &[Rule], scope: &Scope<'_>) -> Result<Option<Verdict>> {
    for rule in rules {
        if let Some(verdict) = rule.broken(scope)? {
            return Ok(Some(verdict));
        }
    }
    Ok(None)
}

impl Otherwise {
    fn usual() -> Self {
        Self::Discard(Template::Plain("check failed".into()))
    }

    /// Reads a word, or a table of the word and the reason: `{ discard = "the page is for {found}" }`.
    fn read(field: Field<'_>) -> Result<Self> {
        if field.value.is_string() {
            let reason = Template::Plain("check failed".into());
            return Ok(match field.word(&WORDS)? {
                "discard" => Self::Discard(reason),
                "reject" => Self::Reject(reason),
                "throttled" => Self::Throttled(REST),
                "close_pool" => Self::ClosePool(reason),
                _ => Self::CloseCrawl(reason),
            });
        }
        let mut table = field.table()?;
        let mut meanings = Vec::new();
        for word in WORDS {
            if let Some(field) = table.get(word) {
                meanings.push(Self::of(word, &field)?);
            }
        }
        let wrong = table.fault("expected one word and its reason, such as { discard = \"wrong place\" } or { throttled = 30 }");
        table.done()?;
        <[Self; 1]>::try_from(meanings).map_or(Err(wrong), |[meaning]| Ok(meaning))
    }

    fn of(word: &str, field: &Field<'_>) -> Result<Self> {
        if word == "throttled" {
            return field.number().map(Self::Throttled);
        }
        field.text()?;
        let reason = Template::read(field, Place::Judging)?;
        Ok(match word {
            "discard" => Self::Discard(reason),
            "reject" => Self::Reject(reason),
            "close_pool" => Self::ClosePool(reason),
            _ => Self::CloseCrawl(reason),
        })
    }

    fn verdict(&self, scope: &Scope<'_>) -> Result<Verdict> {
        Ok(match self {
            Self::Discard(reason) => Verdict::discard(reason.fill_text(scope)?),
            Self::Reject(reason) => Verdict::reject(reason.fill_text(scope)?),
            Self::Throttled(seconds) => Verdict::throttled(*seconds),
            Self::ClosePool(reason) => Verdict::close_pool(reason.fill_text(scope)?),
            Self::CloseCrawl(reason) => Verdict::close_crawl(reason.fill_text(scope)?),
        })
    }
}
