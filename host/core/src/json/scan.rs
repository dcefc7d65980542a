//! Finds the parts of a JSON text one after the other, and where it is not JSON.

use std::fmt;

/// Where and why a text is not JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadJson {
    /// The line, from 1.
    pub line: usize,
    /// The character of the line, from 1.
    pub column: usize,
    /// What is wrong.
    pub why: &'static str,
}

impl fmt::Display for BadJson {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at line {} column {}", self.why, self.line, self.column)
    }
}

impl std::error::Error for BadJson {}

/// A part of a JSON text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Token<'t> {
    /// An array or an object begins.
    Open,
    /// The innermost array or object ends.
    Close,
    /// The name of a member, with its quotes.
    Key(&'t str),
    /// A value that is no array and no object, as it is written.
    Scalar(&'t str),
}

/// The parts of a text in their order, each with the byte at which it begins. After an error there are no more.
///
/// It takes one byte of memory for each level that is open.
#[derive(Clone, Debug)]
pub struct Tokens<'t> {
    text: &'t str,
    at: usize,
    /// The opening brackets of what is open.
    open: Vec<u8>,
    next: Next,
}

/// What may come next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    Value,
    /// The first member of what has just been opened, or its end.
    First,
    Key,
    /// A comma, or an end.
    Rest,
    /// Nothing: there was an error.
    Nothing,
}

const BYTE_ORDER_MARK: &str = "\u{feff}";

impl<'t> Tokens<'t> {
    /// The parts of a text.
    pub fn of(text: &'t str) -> Self {
        let at = if text.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len() } else { 0 };
        Self { text, at, open: Vec::new(), next: Next::Value }
    }

    /// How many arrays and objects are open.
    pub fn depth(&self) -> usize {
        self.open.len()
    }

    pub(super) fn bad(&self, at: usize, why: &'static str) -> BadJson {
        let before = self.text.get(..self.text.floor_char_boundary(at)).unwrap_or_default();
        let line = before.rsplit('\n').next().unwrap_or_default();
        BadJson { line: before.matches('\n').count() + 1, column: line.chars().count() + 1, why }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn skip_space(&mut self) {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.peek() {
            self.at += 1;
        }
    }

    fn since(&self, start: usize) -> &'t str {
        self.text.get(start..self.at).unwrap_or_default()
    }

    fn token(&mut self) -> Result<Option<Token<'t>>, &'static str> {
        let inside = self.open.last().copied();
        let byte = self.peek();
        let ends = matches!((inside, byte), (Some(b'{'), Some(b'}')) | (Some(b'['), Some(b']')));
        match self.next {
            Next::Rest if inside.is_none() => match byte {
                None => Ok(None),
                Some(_) => Err("something follows the value"),
            },
            Next::Rest | Next::First if ends => {
                self.at += 1;
                self.open.pop();
                self.next = Next::Rest;
                Ok(Some(Token::Close))
            }
            Next::Rest => Err(if byte.is_none() { "the text is cut short" } else { "expected a comma or an end" }),
            Next::Key | Next::First if inside == Some(b'{') => self.key(byte).map(Some),
            Next::Key | Next::First | Next::Value => self.value(byte).map(Some),
            Next::Nothing => Ok(None),
        }
    }

    fn key(&mut self, first: Option<u8>) -> Result<Token<'t>, &'static str> {
        let start = self.at;
        match first {
            Some(b'"') => self.string()?,
            Some(_) => return Err("expected the name of a member"),
            None => return Err("the text is cut short"),
        }
        let key = self.since(start);
        self.skip_space();
        match self.peek() {
            Some(b':') => self.at += 1,
            Some(_) => return Err("expected a colon"),
            None => return Err("the text is cut short"),
        }
        self.next = Next::Value;
        Ok(Token::Key(key))
    }

    fn value(&mut self, first: Option<u8>) -> Result<Token<'t>, &'static str> {
        let start = self.at;
        match first {
            Some(bracket @ (b'{' | b'[')) => {
                self.at += 1;
                self.open.push(bracket);
                self.next = Next::First;
                return Ok(Token::Open);
            }
            Some(b'"') => self.string()?,
            Some(b'-' | b'0'..=b'9') => self.number()?,
            Some(_) => self.word(&["true", "false", "null", "NaN", "Infinity"])?,
            None => return Err("the text is cut short"),
        }
        self.next = Next::Rest;
        Ok(Token::Scalar(self.since(start)))
    }

    fn word(&mut self, words: &[&str]) -> Result<(), &'static str> {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let word = words.iter().find(|word| rest.starts_with(**word)).ok_or("expected a value")?;
        self.at += word.len();
        Ok(())
    }

    fn number(&mut self) -> Result<(), &'static str> {
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        match self.peek() {
            Some(b'0') => self.at += 1,
            Some(b'1'..=b'9') => self.digits()?,
            _ => return self.word(&["Infinity"]).map_err(|_| "a number has no digits"),
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.peek() {
            self.at += 1;
            if let Some(b'+' | b'-') = self.peek() {
                self.at += 1;
            }
            self.digits()?;
        }
        Ok(())
    }

    fn digits(&mut self) -> Result<(), &'static str> {
        let start = self.at;
        while let Some(b'0'..=b'9') = self.peek() {
            self.at += 1;
        }
        if self.at > start { Ok(()) } else { Err("a number has no digits") }
    }

    fn string(&mut self) -> Result<(), &'static str> {
        self.at += 1;
        loop {
            self.at += plain(self.text.as_bytes().get(self.at..).unwrap_or_default());
            match self.peek() {
                Some(b'"') => break self.at += 1,
                Some(b'\\') => self.escape()?,
                Some(_) => return Err("a control character in a string is not escaped"),
                None => return Err("a string has no end"),
            }
        }
        Ok(())
    }

    fn escape(&mut self) -> Result<(), &'static str> {
        match self.text.as_bytes().get(self.at + 1..).unwrap_or_default() {
            [b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't', ..] => self.at += 2,
            [b'u', digits @ ..] if digits.len() >= 4 && digits.iter().take(4).all(u8::is_ascii_hexdigit) => self.at += 6,
            _ => return Err("an escape in a string is not known"),
        }
        Ok(())
    }
}

impl<'t> Iterator for Tokens<'t> {
    type Item = Result<(usize, Token<'t>), BadJson>;

    fn next(&mut self) -> Option<Self::Item> {
        self.skip_space();
        if self.next == Next::Rest && self.peek() == Some(b',') && !self.open.is_empty() {
            self.at += 1;
            self.next = if self.open.last() == Some(&b'{') { Next::Key } else { Next::Value };
            self.skip_space();
        }
        let start = self.at;
        self.token()
            .map_err(|why| {
                self.next = Next::Nothing;
                self.bad(self.at, why)
            })
            .map(|token| token.map(|token| (start, token)))
            .transpose()
    }
}

/// How many bytes at the start of a string stand for themselves. Most of an answer is one such string, so eight are looked at at once.
fn plain(bytes: &[u8]) -> usize {
    const ONES: u64 = u64::from_ne_bytes([1; 8]);
    const HIGH: u64 = ONES << 7;
    let below = |word: u64, limit: u8| word.wrapping_sub(ONES * u64::from(limit)) & !word & HIGH;
    let is_plain = |word: u64| {
        let [quote, backslash] = [b'"', b'\\'].map(|byte| below(word ^ (ONES * u64::from(byte)), 1));
        quote | backslash | below(word, 0x20) == 0
    };
    let (words, _) = bytes.as_chunks::<8>();
    let at = 8 * words.iter().take_while(|word| is_plain(u64::from_ne_bytes(**word))).count();
    let rest = bytes.get(at..).unwrap_or_default();
    at + rest.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..0x20)).unwrap_or(rest.len())
}
