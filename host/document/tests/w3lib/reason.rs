//! Why a page is decoded otherwise than by w3lib. Each reason is checked, not assumed.

use crate::cases::Case;
use carousel_document::Document;
use encoding_rs::{Encoding, REPLACEMENT};
use std::fmt;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Reason {
    /// A byte stands for nothing.
    Control,
    /// A label is known to Python only.
    Unknown,
    /// An encoding is refused.
    Refused,
    /// UTF-16 without a mark.
    ByteOrder,
    /// Markup declares that it is UTF-16.
    MarkupInUtf16,
    /// Markup declares `x-user-defined`.
    UserDefined,
    /// A header is written loosely.
    LooseHeader,
    /// A declaration comes late.
    Body,
    /// A declaration comes after one that nobody understands.
    LooksOn,
    /// A declaration is misspelt.
    Misspelt,
    /// An XML declaration is not the start of the page.
    LateXml,
    /// Nothing says what the encoding is.
    Guess,
    /// A sequence of bytes is broken.
    Broken,
    /// The tables of an encoding differ.
    Standard,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Control => "a byte that an encoding leaves open is a control character in browsers, U+FFFD in Python",
            Self::Unknown => "an encoding that browsers do not know is passed over",
            Self::Refused => "an encoding that browsers refuse becomes one U+FFFD",
            Self::ByteOrder => "UTF-16 without a mark is little-endian in browsers, big-endian in w3lib",
            Self::MarkupInUtf16 => "markup that can be read is not UTF-16, whatever it says",
            Self::UserDefined => "x-user-defined in markup is windows-1252 in browsers",
            Self::LooseHeader => "a header with single quotes or spaces is understood here",
            Self::Body => "browsers look for declarations in the body too",
            Self::LooksOn => "browsers look on after a label that they do not know",
            Self::Misspelt => "w3lib understands http_equiv",
            Self::LateXml => "w3lib understands an XML declaration that is not the start of the page",
            Self::Guess => "what nothing declares and is not UTF-8 is guessed here",
            Self::Broken => "a broken sequence leaves another number of U+FFFD",
            Self::Standard => "the Encoding Standard has other characters than Python",
        })
    }
}

impl Reason {
    /// Finds the reason of a difference, if there is one.
    pub(crate) fn find(case: &Case, ours: &str, theirs: &str) -> Option<Self> {
        let header = case.header.as_deref().unwrap_or_default();
        let markup = String::from_utf8_lossy(&case.body);
        let declared = |label: &str| decoded(&case.body, Some(&format!("text/html; charset={label}")));
        let label = header.split("charset=").nth(1).unwrap_or_default();
        let standard = [label, &label.replace('_', "-")].into_iter().find_map(|label| Encoding::for_label(label.as_bytes()));
        let takes = |taken: &str, encoding: &str, sign: &str| taken == declared(encoding) && markup.contains(sign);
        let checks = [
            (Self::Control, controls(ours) == controls(theirs)),
            (Self::Refused, standard == Some(REPLACEMENT) && ours == "\u{fffd}"),
            (Self::ByteOrder, label == "utf-16" && theirs == declared("utf-16be") && ours == declared("utf-16le")),
            (Self::MarkupInUtf16, markup.contains("utf-16") && ours.contains('<') && !theirs.contains('<')),
            (Self::UserDefined, takes(ours, "windows-1252", "x-user-defined")),
            (Self::LooseHeader, ours == declared("utf-8") && (header.contains('\'') || header.contains(" = "))),
            (Self::Body, takes(ours, "koi8-r", "<body><meta")),
            (Self::LooksOn, takes(ours, "koi8-r", "charset=nonsense><meta")),
            (Self::Misspelt, takes(theirs, "koi8-r", "http_equiv")),
            (Self::LateXml, takes(theirs, "koi8-r", "<?xml") && !markup.trim_start().starts_with("<?xml")),
            (Self::Unknown, !label.is_empty() && standard.is_none() && ours == decoded(&case.body, None) && theirs != markup),
            (Self::Guess, standard.is_none() && theirs == markup && std::str::from_utf8(&case.body).is_err()),
            (Self::Broken, whole(ours) == whole(theirs)),
            (Self::Standard, standard.is_some_and(|standard| ours == standard.decode_without_bom_handling(&case.body).0)),
        ];
        checks.into_iter().find(|(_, holds)| *holds).map(|(reason, _)| reason)
    }
}

/// The text of a page.
pub(crate) fn decoded(body: &[u8], header: Option<&str>) -> String {
    Document::new(body.to_owned(), header, None, "").text().unwrap().to_owned()
}

/// The text with one sign for whatever stands for a byte that stands for nothing.
fn controls(text: &str) -> String {
    text.chars().map(|character| if matches!(character, '\u{80}'..='\u{9f}') { '\u{fffd}' } else { character }).collect()
}

/// The text without the signs for what is broken.
fn whole(text: &str) -> String {
    text.replace('\u{fffd}', "")
}
