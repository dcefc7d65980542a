//! How much work one page and one query may cost.

use std::time::Duration;

/// Bounds on the work that a page and the questions to it may cause. What is over a bound is answered with an error that
/// names the bound, never with a crash or a long silence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Longest page, in bytes, that is decoded to text. Default: 64 MiB. Too little refuses large pages; too much lets
    /// one page take several times that in memory.
    pub text_bytes: usize,
    /// Longest text, in bytes, that is parsed for a query. Default: 16 MiB. Parsing takes about 10 ms a MiB. A page takes at most
    /// sixteen times its bytes of memory with its tree and all that a question makes of it, and 48 MiB for the answers; a common
    /// one takes three times its bytes.
    pub parse_bytes: usize,
    /// Deepest nesting of elements that is kept. Default: 512, as in browsers. Deeper elements are left out, their text
    /// goes to the deepest one that is kept.
    pub depth: usize,
    /// Most nodes of one tree. Default: 1,000,000, as many as 30 MB of common pages have. Bounds pages that make the parser
    /// repeat elements.
    pub nodes: usize,
    /// Most steps of building a tree (elements looked at; making one counts as sixteen), beyond four for each byte of text.
    /// Default: 5,000,000. A common page takes about one step a byte; hostile nesting takes thousands.
    pub parse_steps: u64,
    /// Most steps of one query (nodes visited, sixteen bytes compared or answered). Default: 2,500,000, about 0.2 s at most; a
    /// simple query takes one to ten steps for each element of the page.
    pub query_steps: u64,
    /// Longest time after which no further match of one regular expression is looked for. Default: 300 ms.
    pub regex_time: Duration,
    /// Longest expression, in bytes. Default: 4,096.
    pub expression_bytes: usize,
    /// Most bytes of all answers of one `select`; there is at most one answer for each 64 of them. Default: 16 MiB.
    pub answer_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            text_bytes: 64 << 20,
            parse_bytes: 16 << 20,
            depth: 512,
            nodes: 1_000_000,
            parse_steps: 5_000_000,
            query_steps: 2_500_000,
            regex_time: Duration::from_millis(300),
            expression_bytes: 4096,
            answer_bytes: 16 << 20,
        }
    }
}
