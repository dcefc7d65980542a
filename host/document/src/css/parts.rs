//! Cuts an expression at its commas and takes the pseudo-element off each part.

use super::CssError;
use html5ever::LocalName;

/// What is taken of an element that matches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Taken {
    /// The element.
    Element,
    /// Its text nodes, those of its descendants not included.
    Text,
    /// The value of an attribute, named with its prefix where it has one.
    Attribute(LocalName),
}

/// One of the selectors that commas separate.
#[derive(Debug)]
pub(super) struct Part {
    /// The byte of the whole expression where the part starts.
    pub(super) start: usize,
    /// The selector without its pseudo-element.
    pub(super) selector: String,
    pub(super) taken: Taken,
}

impl Part {
    /// `p ::text` and `p *::text` are the texts of `p` and of all that is in it: here is the part for `p` itself.
    fn origin(&self) -> Option<Self> {
        let selector = self.selector.strip_suffix('*').filter(|_| self.taken != Taken::Element)?;
        let origin = selector.trim_end();
        let descends = origin.len() < selector.len() && !origin.is_empty() && !origin.ends_with(['>', '+', '~', '\\']);
        descends.then(|| Self { start: self.start, selector: origin.to_owned(), taken: self.taken.clone() })
    }
}

/// Splits an expression into its parts.
pub(super) fn split(expression: &str) -> Result<Vec<Part>, CssError> {
    let marks = marks(expression)?;
    let commas = marks.iter().filter(|mark| mark.kind == MarkKind::Comma).map(|mark| mark.at);
    let mut start = 0;
    let mut parts = Vec::new();
    for end in commas.chain([expression.len()]) {
        let pseudo = marks.iter().find(|mark| mark.kind == MarkKind::Pseudo && (start..end).contains(&mark.at));
        let part = part(expression, start, pseudo.map(|mark| mark.at), end)?;
        parts.extend(part.origin());
        parts.push(part);
        start = end + 1;
    }
    Ok(parts)
}

fn part(expression: &str, start: usize, pseudo: Option<usize>, end: usize) -> Result<Part, CssError> {
    let text = |from: usize, to: usize| expression.get(from..to).unwrap_or_default();
    let Some(pseudo) = pseudo else {
        return Ok(Part { start, selector: text(start, end).to_owned(), taken: Taken::Element });
    };
    let mut selector = text(start, pseudo).to_owned();
    if selector.trim_end().ends_with(['>', '+', '~']) || selector.trim().is_empty() || selector.ends_with(char::is_whitespace) {
        selector.push('*');
    }
    let taken = taken(text(pseudo + 2, end).trim()).map_err(|reason| CssError { at: pseudo, reason })?;
    Ok(Part { start, selector, taken })
}

fn taken(pseudo: &str) -> Result<Taken, String> {
    if pseudo == "text" {
        return Ok(Taken::Text);
    }
    let Some(argument) = pseudo.strip_prefix("attr(").and_then(|rest| rest.strip_suffix(')')) else {
        return Err(format!("unknown pseudo-element \"::{pseudo}\", use ::text or ::attr(name) at the end"));
    };
    match attribute(argument) {
        Some(name) => Ok(Taken::Attribute(name)),
        None => Err(format!(
            "\"::{pseudo}\" does not name one attribute: write ::attr(name), ::attr(\"name\") or ::attr(xlink\\:href)"
        )),
    }
}

/// The name between the brackets of `attr()`: an identifier, which may have escapes, or a string.
fn attribute(argument: &str) -> Option<LocalName> {
    let mut parser = cssparser::Parser::new(argument);
    let name = LocalName::from(&**parser.expect_ident_or_string().ok()?);
    parser.expect_exhausted().ok()?;
    (!name.is_empty()).then_some(name)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum MarkKind {
    Comma,
    Pseudo,
}

#[derive(Debug, Clone, Copy)]
struct Mark {
    at: usize,
    kind: MarkKind,
}

/// Finds the commas and double colons that are not inside brackets or strings; a bracket or string without an end, which CSS
/// would close by itself, is an error.
fn marks(expression: &str) -> Result<Vec<Mark>, CssError> {
    let mut marks = Vec::new();
    let mut open: Vec<usize> = Vec::new();
    let mut quote: Option<(usize, char)> = None;
    let mut characters = expression.char_indices().peekable();
    while let Some((at, character)) = characters.next() {
        match (quote, character) {
            (_, '\\') => {
                characters.next();
            }
            (Some((_, mark)), _) if mark == character => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some((at, character)),
            (None, '(' | '[') => open.push(at),
            (None, ')' | ']') => {
                open.pop();
            }
            (None, ',') if open.is_empty() => marks.push(Mark { at, kind: MarkKind::Comma }),
            (None, ':') if open.is_empty() && characters.next_if(|&(_, next)| next == ':').is_some() => {
                marks.push(Mark { at, kind: MarkKind::Pseudo });
            }
            (None, _) => {}
        }
    }
    match quote.map(|(at, _)| at).or_else(|| open.pop()) {
        Some(at) => Err(CssError { at, reason: "a bracket or quote is never closed".to_owned() }),
        None => Ok(marks),
    }
}
