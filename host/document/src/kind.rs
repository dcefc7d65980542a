//! What a page is: HTML, XML or JSON.

/// The format of a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// HTML, and everything that is neither of the others.
    Html,
    /// XML.
    Xml,
    /// JSON.
    Json,
}

/// How much of a page is looked at for a root element.
const SEARCHED: usize = 1024;

/// Decides by the media type, and where that says nothing by the first characters of the text.
pub(crate) fn decide<'t>(content_type: Option<&str>, text: impl FnOnce() -> &'t str) -> Kind {
    content_type.and_then(by_media_type).unwrap_or_else(|| by_text(text()))
}

fn by_media_type(content_type: &str) -> Option<Kind> {
    let media_type = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    match media_type.as_str() {
        "text/html" | "application/xhtml+xml" | "application/vnd.wap.xhtml+xml" => Some(Kind::Html),
        "text/xml" | "application/xml" => Some(Kind::Xml),
        "application/x-json" | "text/json" | "application/json" | "application/ld+json" => Some(Kind::Json),
        other if other.ends_with("+json") || other.ends_with("/json") => Some(Kind::Json),
        other if other.ends_with("+xml") => Some(Kind::Xml),
        _ => None,
    }
}

fn by_text(text: &str) -> Kind {
    let text = text.trim_start();
    match text.chars().next() {
        Some('{' | '[') => Kind::Json,
        Some('<') if text.starts_with("<?xml") && !is_xhtml(text) => Kind::Xml,
        _ => Kind::Html,
    }
}

fn is_xhtml(text: &str) -> bool {
    let start = text.get(..text.floor_char_boundary(SEARCHED)).unwrap_or_default().to_ascii_lowercase();
    start.contains("<!doctype html") || start.contains("<html")
}
