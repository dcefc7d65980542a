//! The few lines of JavaScript that people write to set a form: understood by shape, not run.
//!
//! Understood, separated by `;` or line ends: `document.querySelector('CSS').value = 'TEXT'`, `….click()`, `….submit()` (and
//! `document.getElementById('ID')` for all of them), `document.cookie = 'NAME=VALUE…'`, `location = 'URL'` and
//! `location.href = 'URL'`, `location.reload()`, `throw …`. Everything else counts as a script without effect.

use crate::browser::Tab;
use crate::markup::{self, Found};

/// Runs a script, or gives the error that it throws.
pub(super) fn run(source: &str, tab: &mut Tab<'_, '_>) -> Result<(), String> {
    statements(source).try_for_each(|line| run_line(line, tab))
}

/// Cuts a script at semicolons and line ends outside of quotes.
fn statements(source: &str) -> impl Iterator<Item = &str> {
    let mut quote = None;
    source
        .split(move |letter: char| {
            match quote {
                Some(mark) if mark == letter => quote = None,
                None if matches!(letter, '"' | '\'' | '`') => quote = Some(letter),
                Some(_) | None => {}
            }
            quote.is_none() && matches!(letter, ';' | '\n')
        })
        .map(str::trim)
        .filter(|line| !line.is_empty())
}

fn run_line(line: &str, tab: &mut Tab<'_, '_>) -> Result<(), String> {
    if line.starts_with("throw") {
        return Err(format!("script failed: {line}"));
    }
    let line = line.strip_prefix("window.").unwrap_or(line);
    if line == "location.reload()" {
        tab.reload();
        return Ok(());
    }
    if let Some(target) = assigned(line, &["location", "location.href"]) {
        if let Ok(target) = tab.page.url.join(target) {
            tab.go_to(target);
        }
        return Ok(());
    }
    if let Some(cookie) = assigned(line, &["document.cookie"]) {
        let pair = cookie.split(';').next().unwrap_or("");
        if let Some((name, value)) = pair.split_once('=') {
            tab.keep_cookie(name.trim(), value.trim());
        }
        return Ok(());
    }
    let Some((css, rest)) = queried(line) else {
        return Ok(());
    };
    let selector = markup::parse(&css).ok_or_else(|| format!("{css:?} is not a selector"))?;
    let found = tab.find_all(&selector).into_iter().next();
    let found = found.ok_or_else(|| format!("script failed: nothing matches {css}"))?;
    act(found, rest, tab)
}

fn act(found: Found, rest: &str, tab: &mut Tab<'_, '_>) -> Result<(), String> {
    match rest {
        ".click()" => tab.click(found),
        ".submit()" | ".requestSubmit()" => {
            if let Some(form) = found.form {
                tab.submit(form);
            }
        }
        _ => {
            if let Some(value) = assigned(rest, &[".value"]) {
                return tab.set_value(found, value);
            }
        }
    }
    Ok(())
}

/// Reads `NAME = 'TEXT'`.
fn assigned<'s>(line: &'s str, names: &[&str]) -> Option<&'s str> {
    let (name, value) = line.split_once('=')?;
    names.contains(&name.trim_end()).then_some(())?;
    unquote(value.trim())
}

/// Reads the selector of a query for an element and what follows it.
fn queried(line: &str) -> Option<(String, &str)> {
    let by_css = line.strip_prefix("document.querySelector(");
    let by_id = line.strip_prefix("document.getElementById(");
    let quote = by_css.or(by_id)?;
    let mark = quote.chars().next()?;
    let inner = quote.strip_prefix(['"', '\'', '`'])?;
    let (text, rest) = inner.split_once(mark)?;
    let rest = rest.strip_prefix(')')?.trim();
    let css = if by_css.is_some() { text.to_owned() } else { format!("#{text}") };
    Some((css, rest))
}

fn unquote(text: &str) -> Option<&str> {
    ['"', '\'', '`'].into_iter().find_map(|mark| text.strip_prefix(mark)?.strip_suffix(mark))
}

#[cfg(test)]
mod tests {
    use super::{assigned, queried, statements};

    #[test]
    fn a_semicolon_in_quotes_ends_nothing() {
        let lines: Vec<_> = statements("document.cookie = 'a=b; path=/'; location.reload();").collect();
        assert_eq!(lines, ["document.cookie = 'a=b; path=/'", "location.reload()"]);
    }

    #[test]
    fn lines_are_understood_by_shape() {
        assert_eq!(queried("document.querySelector(\"#zip\").value = '1'"), Some(("#zip".to_owned(), ".value = '1'")));
        assert_eq!(queried("document.getElementById('save').click()"), Some(("#save".to_owned(), ".click()")));
        assert_eq!(queried("console.log(1)"), None);
        assert_eq!(assigned(".value = '10001'", &[".value"]), Some("10001"));
        assert_eq!(assigned("location.href=\"/a\"", &["location.href"]), Some("/a"));
        assert_eq!(assigned("let a = '1'", &["location"]), None);
    }
}
