//! Text that is read piece by piece. Nothing is copied as long as the pieces follow one another in the page.

use html5ever::tendril::StrTendril;

/// The page that is read.
pub(super) struct Page<'t> {
    text: &'t str,
    /// The same text, of which parts can be had without copying them.
    shared: StrTendril,
}

impl<'t> Page<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self { text, shared: StrTendril::from_slice(text) }
    }

    /// Where a piece lies in the page; none if it comes from elsewhere.
    fn place(&self, piece: &[u8]) -> Option<usize> {
        let start = piece.as_ptr().addr().checked_sub(self.text.as_ptr().addr())?;
        (start < self.text.len() && piece.len() <= self.text.len() - start).then_some(start)
    }

    fn part(&self, start: usize, end: usize) -> StrTendril {
        let (from, bytes) = (u32::try_from(start).unwrap_or(u32::MAX), u32::try_from(end - start).unwrap_or(u32::MAX));
        self.shared
            .try_subtendril(from, bytes)
            .unwrap_or_else(|_| lossy(self.text.as_bytes().get(start..end).unwrap_or_default()))
    }
}

/// Text that is being read: a part of the page, until a piece comes that is not the next one there.
#[derive(Debug, Default)]
pub(super) struct Stretch {
    start: usize,
    end: usize,
    /// The text, if it is not just a part of the page.
    copied: Vec<u8>,
}

impl Stretch {
    pub(super) fn clear(&mut self) {
        (self.start, self.end) = (0, 0);
        self.copied.clear();
    }

    pub(super) fn push(&mut self, piece: &[u8], page: &Page<'_>) {
        if self.copied.is_empty() {
            match page.place(piece) {
                Some(start) if self.start == self.end => {
                    (self.start, self.end) = (start, start + piece.len());
                    return;
                }
                Some(start) if start == self.end => {
                    self.end += piece.len();
                    return;
                }
                Some(_) | None => {
                    let before = page.text.as_bytes().get(self.start..self.end).unwrap_or_default();
                    self.copied.extend_from_slice(before);
                }
            }
        }
        self.copied.extend_from_slice(piece);
    }

    /// What has been read, if anything; what is read next is another text.
    pub(super) fn take(&mut self, page: &Page<'_>) -> Option<StrTendril> {
        let text = match self.copied.is_empty() {
            true if self.start == self.end => return None,
            true => page.part(self.start, self.end),
            false => lossy(&self.copied),
        };
        self.clear();
        Some(text)
    }
}

/// Pieces together are valid text; one alone may be a part of a character.
fn lossy(bytes: &[u8]) -> StrTendril {
    StrTendril::from_slice(&String::from_utf8_lossy(bytes))
}
