//! Finding elements on a page: CSS selectors, and the XPath that people write most.

use scraper::{ElementRef, Html, Selector};
use serde_json::Value;

/// An element that an action acts on.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) tag: String,
    pub(crate) name: Option<String>,
    pub(crate) href: Option<String>,
    pub(crate) is_visible: bool,
    pub(crate) is_submit: bool,
    /// The form around it.
    pub(crate) form: Option<Form>,
}

/// A form with the values that its page gives.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Form {
    pub(crate) action: String,
    pub(crate) method: String,
    pub(crate) fields: Vec<(String, String)>,
}

/// Reads the selector of an action, or says what is wrong with it.
pub(crate) fn selector(value: &Value) -> Result<Selector, String> {
    let text = value.get("value").and_then(Value::as_str).unwrap_or("");
    let css = if value.get("type").and_then(Value::as_str) == Some("xpath") {
        xpath_to_css(text).ok_or_else(|| format!("XPath {text:?} is beyond what the simulator knows"))?
    } else {
        text.to_owned()
    };
    parse(&css).ok_or_else(|| format!("selector {text:?} is not valid"))
}

/// Reads a CSS selector.
pub(crate) fn parse(css: &str) -> Option<Selector> {
    Selector::parse(css).ok()
}

/// Finds the elements that match.
pub(crate) fn find_all(html: &str, selector: &Selector) -> Vec<Found> {
    let document = Html::parse_document(html);
    document.select(selector).map(read).collect()
}

fn read(element: ElementRef<'_>) -> Found {
    let attribute = |name: &str| element.value().attr(name).map(str::to_owned);
    let kind = element.value().attr("type");
    let tag = element.value().name().to_owned();
    let is_submit = match tag.as_str() {
        "button" => kind.is_none_or(|kind| kind == "submit"),
        "input" => matches!(kind, Some("submit" | "image")),
        _ => false,
    };
    Found {
        name: attribute("name"),
        href: attribute("href"),
        is_visible: kind != Some("hidden") && element.value().attr("hidden").is_none(),
        is_submit,
        form: form_of(element),
        tag,
    }
}

fn form_of(element: ElementRef<'_>) -> Option<Form> {
    let form = std::iter::once(element)
        .chain(element.ancestors().filter_map(ElementRef::wrap))
        .find(|it| it.value().name() == "form")?;
    let controls = parse("input[name], select[name], textarea[name]")?;
    let fields = form.select(&controls).filter_map(|control| {
        let value = control.value();
        let name = value.attr("name")?.to_owned();
        Some((name, value.attr("value").unwrap_or("").to_owned()))
    });
    Some(Form {
        action: form.value().attr("action").unwrap_or("").to_owned(),
        method: form.value().attr("method").unwrap_or("get").to_ascii_uppercase(),
        fields: fields.collect(),
    })
}

/// Translates paths of named steps with attribute tests, such as `//form//input[@id="zip"]`.
fn xpath_to_css(xpath: &str) -> Option<String> {
    let mut css = String::new();
    let mut rest = xpath.trim();
    while !rest.is_empty() {
        let combinator = if let Some(after) = rest.strip_prefix("//") {
            rest = after;
            " "
        } else {
            rest = rest.strip_prefix('/')?;
            " > "
        };
        if !css.is_empty() {
            css.push_str(combinator);
        }
        rest = step_to_css(rest, &mut css)?;
    }
    (!css.is_empty()).then_some(css)
}

fn step_to_css<'a>(step: &'a str, css: &mut String) -> Option<&'a str> {
    let end = step.find(['/', '[']).unwrap_or(step.len());
    let (name, mut rest) = step.split_at(end);
    let is_name = name == "*" || name.bytes().all(|it| it.is_ascii_alphanumeric());
    if name.is_empty() || !is_name {
        return None;
    }
    css.push_str(name);
    while let Some(after) = rest.strip_prefix('[') {
        let (test, after) = after.split_once(']')?;
        css.push_str(&test_to_css(test.trim())?);
        rest = after;
    }
    Some(rest)
}

fn test_to_css(test: &str) -> Option<String> {
    if let Some(inner) = test.strip_prefix("contains(@") {
        let (name, value) = inner.strip_suffix(')')?.split_once(',')?;
        return Some(format!("[{}*={}]", name.trim(), quoted(value)?));
    }
    let attribute = test.strip_prefix('@')?;
    let Some((name, value)) = attribute.split_once('=') else {
        return Some(format!("[{attribute}]"));
    };
    Some(format!("[{}={}]", name.trim(), quoted(value)?))
}

fn quoted(text: &str) -> Option<&str> {
    let text = text.trim();
    let is_quoted = |mark: char| text.len() >= 2 && text.starts_with(mark) && text.ends_with(mark);
    (is_quoted('"') || is_quoted('\'')).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::{find_all, parse, xpath_to_css};

    #[test]
    fn the_xpath_of_everyday_becomes_css() {
        for (xpath, expected) in [
            ("//input[@id=\"zip\"]", Some("input[id=\"zip\"]")),
            ("//*[@id='zip']", Some("*[id='zip']")),
            ("//form//button[@type]", Some("form button[type]")),
            ("/html/body", Some("html > body")),
            ("//a[contains(@class, 'x')]", Some("a[class*='x']")),
            ("//a[1]", None),
            ("//a[text()='x']", None),
            ("", None),
        ] {
            assert_eq!(xpath_to_css(xpath).as_deref(), expected, "{xpath}");
        }
    }

    #[test]
    fn an_element_knows_the_form_around_it() {
        let html = "<form action=/go method=post><input name=a value=1><input type=hidden name=b value=2>\
                    <button id=x>go</button></form>";
        let found = find_all(html, &parse("#x").unwrap()).remove(0);
        assert!(found.is_submit && found.is_visible);
        let form = found.form.unwrap();
        assert_eq!((form.action.as_str(), form.method.as_str()), ("/go", "POST"));
        assert_eq!(form.fields, [("a".into(), "1".into()), ("b".into(), "2".into())]);
        let hidden = find_all(html, &parse("[name=b]").unwrap()).remove(0);
        assert!(!hidden.is_visible);
    }
}
