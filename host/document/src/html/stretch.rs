//! Text that is read piece by piece. Nothing is copied as long as the pieces follow one another in the page.

use html5ever::tendril::StrTendril;

/// Bytes of the page that are made shareable at once.
const WINDOW: usize = 64 << 10;

/// The page that is read.
pub(super) struct Page<'t> {
    text: &'t str,
    /// A part of the page from which parts can be had without copying them, and where it starts.
    window: StrTendril,
    start: usize,
}

impl<'t> Page<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self { text, window: StrTendril::new(), start: 0 }
    }

    /// Where a piece lies in the page; none if it comes from elsewhere.
    fn place(&self, piece: &[u8]) -> Option<usize> {
        let start = piece.as_ptr().addr().checked_sub(self.text.as_ptr().addr())?;
        (start < self.text.len() && piece.len() <= self.text.len() - start).then_some(start)
    }

    fn part(&mut self, start: usize, end: usize) -> StrTendril {
        if start < self.start || end > self.start + self.window.len() {
            let window = start..self.text.floor_char_boundary(start + WINDOW).max(end);
            (self.window, self.start) = (self.text.get(window).unwrap_or_default().into(), start);
        }
        match (u32::try_from(start.saturating_sub(self.start)), u32::try_from(end.saturating_sub(start))) {
            (Ok(from), Ok(bytes)) => self.window.try_subtendril(from, bytes).ok(),
            _ => None,
        }
        .unwrap_or_else(|| lossy(self.text.as_bytes().get(start..end).unwrap_or_default()))
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
    pub(super) fn take(&mut self, page: &mut Page<'_>) -> Option<StrTendril> {
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
