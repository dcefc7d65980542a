//! Text with `*` in it, compared without regard to case.

use std::iter;

/// A text in which each `*` stands for any run of characters other than a line feed.
#[derive(Debug, Clone)]
pub(super) struct Wildcard {
    /// Folded text before the first `*`.
    head: String,
    /// Folded texts after each `*`; the last one ends the whole.
    tail: Vec<String>,
}

impl Wildcard {
    /// Reads a text that must be met as a whole.
    pub(super) fn whole(text: &str) -> Self {
        let mut pieces = text.split('*').map(fold);
        Self { head: pieces.next().unwrap_or_default(), tail: pieces.collect() }
    }

    /// Reads a text that must be met at the beginning, or as a whole if it ends in `|`.
    pub(super) fn prefix(text: &str) -> Self {
        match text.strip_suffix('|') {
            Some(exact) => Self::whole(exact),
            None => Self::whole(&format!("{text}*")),
        }
    }

    /// Tells whether a folded text is met; a line feed at its very end is overlooked.
    pub(super) fn matches(&self, folded: &str) -> bool {
        if folded.contains('\n') { self.matches_lines(folded) } else { self.matches_line(folded) }
    }

    fn matches_line(&self, text: &str) -> bool {
        let Some(mut rest) = text.strip_prefix(self.head.as_str()) else {
            return false;
        };
        let Some((last, middle)) = self.tail.split_last() else {
            return rest.is_empty();
        };
        for piece in middle {
            let Some((_, after)) = rest.split_once(piece.as_str()) else {
                return false;
            };
            rest = after;
        }
        rest.ends_with(last.as_str())
    }

    /// The slow way, which keeps every place a piece may end at, since a `*` does not cross a line feed.
    fn matches_lines(&self, text: &str) -> bool {
        let mut ends = match text.strip_prefix(self.head.as_str()) {
            Some(_) => vec![self.head.len()],
            None => return false,
        };
        for piece in &self.tail {
            ends = ends_after(text, &ends, piece);
        }
        ends.iter().any(|end| matches!(text.get(*end..), Some("" | "\n")))
    }
}

/// The places, in order and without repetition, at which `piece` may end when it follows a `*` that begins at one of `starts`.
fn ends_after(text: &str, starts: &[usize], piece: &str) -> Vec<usize> {
    let mut ends = Vec::new();
    let mut covered = 0;
    for &start in starts {
        let line = text.get(start..).map_or("", |rest| rest.split('\n').next().unwrap_or(""));
        let stop = start + line.len();
        for at in start.max(covered)..=stop {
            if text.get(at..).is_some_and(|rest| rest.starts_with(piece)) {
                ends.push(at + piece.len());
            }
        }
        covered = covered.max(stop + 1);
    }
    ends
}

/// Maps a text so that two texts that differ only in case become equal, character by character.
pub(super) fn fold(text: &str) -> String {
    if text.is_ascii() { text.to_ascii_lowercase() } else { text.chars().map(fold_char).collect() }
}

fn fold_char(c: char) -> char {
    let lower = c.to_lowercase().next().unwrap_or(c);
    if lower.is_ascii() { lower } else { same_letter(lower) }
}

/// Lower-case letters that share an upper-case letter with another one, which stands for them.
fn same_letter(lower: char) -> char {
    const GROUPS: [&str; 24] = [
        "i\u{131}",
        "s\u{17f}",
        "\u{b5}\u{3bc}",
        "\u{345}\u{3b9}\u{1fbe}",
        "\u{390}\u{1fd3}",
        "\u{3b0}\u{1fe3}",
        "\u{3b2}\u{3d0}",
        "\u{3b5}\u{3f5}",
        "\u{3b8}\u{3d1}",
        "\u{3ba}\u{3f0}",
        "\u{3c0}\u{3d6}",
        "\u{3c1}\u{3f1}",
        "\u{3c2}\u{3c3}",
        "\u{3c6}\u{3d5}",
        "\u{432}\u{1c80}",
        "\u{434}\u{1c81}",
        "\u{43e}\u{1c82}",
        "\u{441}\u{1c83}",
        "\u{442}\u{1c84}\u{1c85}",
        "\u{44a}\u{1c86}",
        "\u{463}\u{1c87}",
        "\u{1c88}\u{a64b}",
        "\u{1e61}\u{1e9b}",
        "\u{fb05}\u{fb06}",
    ];
    let group = GROUPS.iter().find(|group| group.contains(lower));
    group.and_then(|group| group.chars().next()).unwrap_or(lower)
}

/// The folded suffixes of a folded host at which a pattern for a domain may begin, longest first: the host, what follows each dot,
/// and what follows `www` and one more character.
pub(super) fn domain_suffixes(folded_host: &str) -> impl Iterator<Item = &str> {
    let after_dots = folded_host.match_indices('.').filter_map(|(at, _)| folded_host.get(at + 1..));
    let unusual = without_www(folded_host).filter(|_| !folded_host.starts_with("www."));
    iter::once(folded_host).chain(unusual).chain(after_dots)
}

/// What follows `www` and one more character, whichever that is.
pub(super) fn without_www(folded_host: &str) -> Option<&str> {
    let mut rest = folded_host.strip_prefix("www")?.chars();
    rest.next()?;
    Some(rest.as_str())
}
