//! Regular expressions on the text of a page. Look-around and back-references do not exist. A search takes time linear in the
//! text but cannot be interrupted, so that its cost is bounded beforehand; the limit on time takes effect between two matches.

use regex::{Captures, Regex, RegexBuilder};
use regex_syntax::hir::{Class, ClassUnicode, ClassUnicodeRange, Hir, HirKind};
use std::time::{Duration, Instant};

use crate::budget::Budget;

/// Most memory of a compiled expression and of its caches, in bytes: `\w{60}` takes 1 MiB.
const COMPILED_BYTES: usize = 4 << 20;

/// Sets of characters that an expression may contain, repetitions written out, without being able to outgrow the caches:
/// each set at most doubles the states of the automaton.
const FREE_SETS: u64 = 10;

/// Steps of an expression that can outgrow the caches, a place in it looked at for a byte, for one step of a query.
const LOOKS_PER_STEP: u64 = 12;

/// Pages longer than this may take longer, up to [`LONGER`] times.
const COMMON_BYTES: u64 = 1 << 20;
const LONGER: u64 = 4;

/// A compiled regular expression.
#[derive(Debug)]
pub(crate) struct Pattern {
    regex: Regex,
    taken: Taken,
    size: Size,
}

/// How much there is of an expression once its repetitions are written out.
#[derive(Debug, Clone, Copy, Default)]
struct Size {
    /// Characters and sets of characters.
    places: u64,
    /// Sets of characters.
    sets: u64,
}

/// What is taken of a match.
#[derive(Debug, Clone, Copy)]
enum Taken {
    Whole,
    /// One group: the one named `extract`.
    Group(usize),
    /// All groups, one answer each.
    Groups,
}

/// The search would take or took too long.
#[derive(Debug)]
pub(crate) struct TooLong;

impl Pattern {
    /// Compiles an expression; the error says where and why it is malformed.
    pub(crate) fn compile(expression: &str) -> Result<Self, String> {
        let regex = RegexBuilder::new(expression)
            .size_limit(COMPILED_BYTES)
            .dfa_size_limit(COMPILED_BYTES)
            .nest_limit(64)
            .build()
            .map_err(|error| one_line(&error.to_string()))?;
        let extract = regex.capture_names().position(|name| name == Some("extract"));
        let taken = match (extract, regex.captures_len()) {
            (Some(group), _) => Taken::Group(group),
            (None, 1) => Taken::Whole,
            (None, _) => Taken::Groups,
        };
        let size = regex_syntax::parse(expression).map(|parsed| Size::of(&parsed)).unwrap_or_default();
        Ok(Self { regex, taken, size })
    }

    /// Is there a match? Pays for the search.
    pub(crate) fn is_match(&self, text: &str, budget: &Budget) -> bool {
        budget.spend(self.steps(text));
        self.regex.is_match(text)
    }

    /// Does the expression match where there is nothing?
    pub(crate) fn matches_nothing(&self) -> bool {
        self.regex.is_match("")
    }

    /// Steps that one search of the text takes at most.
    pub(crate) fn steps(&self, text: &str) -> u64 {
        let bytes = text.len() as u64;
        let longer = (bytes / COMMON_BYTES).clamp(1, LONGER);
        match self.size.sets <= FREE_SETS {
            true => 1 + (bytes >> 8),
            false => 1 + self.size.places.saturating_mul(bytes) / LOOKS_PER_STEP / longer,
        }
    }

    /// Returns the answers, at most `most`; a group that takes no part in a match answers with an empty string.
    pub(crate) fn find<'t>(&self, text: &'t str, most: usize, time: Duration) -> Result<Vec<&'t str>, TooLong> {
        match self.taken {
            Taken::Whole => collect(self.regex.find_iter(text), most, time, |found, answers| answers.push(found.as_str())),
            Taken::Group(index) => collect(self.regex.captures_iter(text), most, time, |captures, answers| {
                answers.push(group(&captures, index));
            }),
            Taken::Groups => collect(self.regex.captures_iter(text), most, time, |captures, answers| {
                answers.extend((1..captures.len()).map(|index| group(&captures, index)));
            }),
        }
    }
}

fn group<'t>(captures: &Captures<'t>, index: usize) -> &'t str {
    captures.get(index).map_or("", |found| found.as_str())
}

/// Takes the answers of one match after the other, until there are enough or it takes too long.
fn collect<'t, M>(
    matches: impl Iterator<Item = M>,
    most: usize,
    time: Duration,
    take: impl Fn(M, &mut Vec<&'t str>),
) -> Result<Vec<&'t str>, TooLong> {
    let start = Instant::now();
    let mut answers = Vec::new();
    for found in matches {
        take(found, &mut answers);
        if answers.len() >= most {
            break;
        }
        if start.elapsed() > time {
            return Err(TooLong);
        }
    }
    answers.truncate(most);
    Ok(answers)
}

impl Size {
    fn of(expression: &Hir) -> Self {
        match expression.kind() {
            HirKind::Empty | HirKind::Look(_) => Self::default(),
            HirKind::Literal(literal) => Self { places: literal.0.len() as u64, sets: 0 },
            HirKind::Class(class) => Self { places: 1, sets: u64::from(!is_one_letter(class)) },
            HirKind::Repetition(repeated) => {
                let times = u64::from(repeated.max.unwrap_or(repeated.min).max(1));
                let Self { places, sets } = Self::of(&repeated.sub);
                Self { places: places.saturating_mul(times), sets: sets.saturating_mul(times) }
            }
            HirKind::Capture(group) => Self::of(&group.sub),
            HirKind::Concat(parts) | HirKind::Alternation(parts) => {
                parts.iter().map(Self::of).fold(Self::default(), |sum, part| Self {
                    places: sum.places.saturating_add(part.places),
                    sets: sum.sets.saturating_add(part.sets),
                })
            }
        }
    }
}

/// Is this one letter in upper and lower case, which is what `(?i)` makes of a letter? It is no more than a letter.
fn is_one_letter(class: &Class) -> bool {
    let Class::Unicode(class) = class else { return false };
    let Some(first) = class.ranges().first() else { return false };
    let mut letter = ClassUnicode::new([ClassUnicodeRange::new(first.start(), first.start())]);
    letter.try_case_fold_simple().is_ok() && letter == *class
}

/// The library draws a picture of several lines, the last of which says what is wrong.
fn one_line(text: &str) -> String {
    let last = text.lines().last().unwrap_or(text).trim();
    last.strip_prefix("error: ").unwrap_or(last).to_owned()
}
