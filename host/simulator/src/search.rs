//! `POST /v1/search`: the results of a search engine that does not exist.

use serde_json::{Map, Value, json};
use url::Url;

use crate::ask::Ask;
use crate::calendar::timestamp;
use crate::chance::stable_hash;
use crate::problem::Problem;
use crate::sites::escape;

/// Results without `maxResults`.
const DEFAULT_RESULTS: u32 = 10;

/// The address that a search is made at; a domain without a search engine is refused.
pub(crate) fn address(request: &Map<String, Value>) -> Result<Url, Problem> {
    let text = |name: &str| request.get(name).and_then(Value::as_str).unwrap_or("");
    let domain = text("domain");
    let url = has_engine(domain).then(|| Url::parse(&format!("https://{domain}/search")).ok()).flatten();
    let Some(mut url) = url else {
        return Err(Problem::invalid(format!(
            "field \"domain\": there is no search engine at {domain:?}; the simulator has google.com, its regional domains and \
             every domain that ends in .example"
        )));
    };
    url.query_pairs_mut().append_pair("q", text("query"));
    Ok(url)
}

/// One engine has its real domains, and every fictional host is one.
fn has_engine(domain: &str) -> bool {
    let is_label = |label: &str| {
        label.starts_with(|first: char| first.is_ascii_lowercase())
            && label.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
    };
    let is_region = |label: &str| (2..=3).contains(&label.len()) && label.bytes().all(|byte| byte.is_ascii_lowercase());
    if let Some(name) = domain.strip_suffix(".example") {
        return name.split('.').all(is_label);
    }
    let labels: Vec<&str> = domain.strip_prefix("www.").unwrap_or(domain).split('.').collect();
    matches!(labels.as_slice(), ["google", regions @ ..] if (1..=2).contains(&regions.len()) && regions.iter().all(|it| is_region(it)))
}

/// How many requests a search counts as.
pub(crate) fn weight(request: &Map<String, Value>) -> u32 {
    (results(request) / 10).max(1)
}

fn results(request: &Map<String, Value>) -> u32 {
    let given = request.get("maxResults").and_then(Value::as_f64);
    // The schema allows whole numbers up to 100.
    given.map_or(DEFAULT_RESULTS, |number| number.clamp(0.0, 100.0) as u32)
}

/// Writes the answer; what it finds follows from domain and query alone.
pub(crate) fn document(ask: &Ask<'_>, now_seconds: i64) -> Map<String, Value> {
    let (query, now) = (ask.text("query").unwrap_or(""), timestamp(now_seconds));
    let found: Vec<Found> = (1..=results(ask.fields)).map(|rank| Found::new(&ask.host, query, rank)).collect();
    let include: Vec<&str> = ask.list("include").iter().filter_map(Value::as_str).collect();
    let mut answer = Map::new();
    answer.insert("status".into(), "success".into());
    answer.insert("url".into(), ask.url.as_str().into());
    answer.insert("fetchedAt".into(), now.as_str().into());
    answer.insert("meta".into(), meta(ask.fields, &now));
    // Without a wish it is the page.
    if include.is_empty() || include.contains(&"html") {
        answer.insert("html".into(), page(query, &found).into());
    }
    if include.contains(&"organic") {
        answer.insert("organicResults".into(), found.iter().map(Found::document).collect());
    }
    answer
}

fn meta(request: &Map<String, Value>, now: &str) -> Value {
    let mut meta = Map::new();
    meta.insert("requestedAt".into(), now.into());
    let parameters = request.get("queryParameters");
    for name in ["geolocation", "locale"] {
        if let Some(value) = parameters.and_then(|it| it.get(name)) {
            meta.insert(name.into(), value.clone());
        }
    }
    Value::Object(meta)
}

/// A result.
struct Found {
    rank: u32,
    title: String,
    host: String,
    url: String,
}

impl Found {
    fn new(domain: &str, query: &str, rank: u32) -> Self {
        let hash = stable_hash(&[domain, query, &rank.to_string()]);
        let host = format!("s{:03}.plain.example", hash % 200);
        Self { rank, title: format!("{query}: result {rank}"), url: format!("https://{host}/p/{}", hash / 200 % 1_000), host }
    }

    fn document(&self) -> Value {
        json!({"rank": self.rank, "title": self.title, "url": self.url, "displayedUrl": self.host,
            "snippet": format!("What {} says about it.", self.host)})
    }
}

fn page(query: &str, found: &[Found]) -> String {
    use std::fmt::Write as _;
    let query = escape(query);
    let mut html = format!("<!doctype html><title>{query}</title><h1>{query}</h1>");
    for result in found {
        // Writing to a String cannot fail.
        let _ = write!(html, "<p class=\"result\"><a href=\"{}\">{}</a></p>", result.url, escape(&result.title));
    }
    html
}

#[cfg(test)]
mod tests {
    use super::has_engine;

    #[test]
    fn only_some_domains_have_a_search() {
        for (domain, expected) in [
            ("google.com", true),
            ("www.google.co.uk", true),
            ("search.example", true),
            ("a.b-1.example", true),
            ("bing.com", false),
            ("google", false),
            ("google.", false),
            ("google.com.evil.org", false),
            ("google.com/a", false),
            ("google.com*", false),
            ("GOOGLE.COM", false),
            ("example", false),
            (".example", false),
            ("a..example", false),
            ("a b.example", false),
            ("", false),
        ] {
            assert_eq!(has_engine(domain), expected, "{domain}");
        }
    }
}
