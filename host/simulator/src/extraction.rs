//! What stands in for extraction: a few fields read from the page by CSS, in the documented shape of each type.

use scraper::{Html, Selector};
use serde_json::{Map, Value, json};
use url::Url;

use crate::calendar::timestamp;

/// Results that a page of search results lists at most.
const MAX_RESULTS: usize = 100;

/// A page to extract from.
pub(crate) struct Source<'a> {
    pub(crate) url: &'a Url,
    pub(crate) html: &'a str,
    /// When it was downloaded, in seconds since 1970.
    pub(crate) downloaded: i64,
    /// What was searched for, where the request says so.
    pub(crate) keyword: Option<&'a str>,
}

/// Extracts; `kind` is the name of the output field.
pub(crate) fn extract(kind: &str, source: &Source<'_>) -> Value {
    let page = Page { document: Html::parse_document(source.html), url: source.url };
    let mut item = match kind {
        "article" => page.named([("headline", page.title()), ("articleBody", page.text())]),
        "jobPosting" => page.named([("jobTitle", page.title()), ("description", page.text())]),
        "pageContent" => page.named([("headline", page.first("h1")), ("title", page.first("title")), ("itemMain", page.text())]),
        "product" => page.product(),
        "forumThread" => page.forum_thread(),
        "articleList" => page.list("articles", "headline"),
        "productList" => page.list("products", "name"),
        "serp" => page.search_results(),
        _ => page.list("items", "name"),
    };
    item.insert("url".into(), source.url.as_str().into());
    item.insert("metadata".into(), metadata(kind, source, &item));
    Value::Object(item)
}

/// Single items have a probability, lists have one for each of their items, search results have none.
fn metadata(kind: &str, source: &Source<'_>, item: &Map<String, Value>) -> Value {
    let date = timestamp(source.downloaded);
    match kind {
        "article" | "jobPosting" | "pageContent" | "product" => json!({"probability": 0.95, "dateDownloaded": date}),
        "serp" => {
            let in_url = source.url.query_pairs().find(|(name, _)| name == "q").map(|(_, value)| value.into_owned());
            let query = source.keyword.map(str::to_owned).or(in_url).unwrap_or_default();
            let count = item.get("organicResults").and_then(Value::as_array).map_or(0, Vec::len);
            json!({"displayedQuery": query, "searchedQuery": query, "totalOrganicResults": count, "dateDownloaded": date})
        }
        _ => json!({"dateDownloaded": date}),
    }
}

struct Page<'a> {
    document: Html,
    url: &'a Url,
}

impl Page<'_> {
    fn named<const N: usize>(&self, fields: [(&str, Option<String>); N]) -> Map<String, Value> {
        fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?.into()))).collect()
    }

    fn all(&self, css: &str) -> Vec<String> {
        let Ok(selector) = Selector::parse(css) else {
            return Vec::new();
        };
        self.document.select(&selector).map(|element| element.text().collect::<String>()).collect()
    }

    fn first(&self, css: &str) -> Option<String> {
        self.all(css).into_iter().next()
    }

    fn title(&self) -> Option<String> {
        self.first("h1").or_else(|| self.first("title"))
    }

    fn text(&self) -> Option<String> {
        let text = self.all("p").join("\n");
        (!text.is_empty()).then_some(text)
    }

    fn product(&self) -> Map<String, Value> {
        let price = self.first(".price").map(|text| text.trim().to_owned());
        let price = price.filter(|text| is_price(text));
        let currency = price.is_some().then(|| "USD".to_owned());
        self.named([("name", self.title()), ("price", price), ("currency", currency), ("sku", self.first(".sku"))])
    }

    fn forum_thread(&self) -> Map<String, Value> {
        let posts = self.all("p").into_iter().map(|text| json!({"text": text, "metadata": {"probability": 0.9}}));
        let mut item = Map::new();
        item.insert("posts".into(), posts.collect());
        if let Some(title) = self.title() {
            item.insert("topic".into(), json!({"name": title}));
        }
        item
    }

    fn list(&self, field: &str, label: &str) -> Map<String, Value> {
        let links = self.links().into_iter();
        let items = links.map(|(url, name)| json!({"url": url, label: name, "metadata": {"probability": 0.9}}));
        Map::from_iter([(field.to_owned(), items.collect())])
    }

    fn search_results(&self) -> Map<String, Value> {
        let links = self.links().into_iter().take(MAX_RESULTS).enumerate();
        let results = links.map(|(at, (url, name))| json!({"rank": at + 1, "url": url, "name": name}));
        Map::from_iter([("organicResults".to_owned(), results.collect()), ("pageNumber".to_owned(), 1.into())])
    }

    fn links(&self) -> Vec<(String, String)> {
        let Ok(selector) = Selector::parse("a[href]") else {
            return Vec::new();
        };
        let link = |element: scraper::ElementRef<'_>| {
            let target = self.url.join(element.value().attr("href")?).ok()?;
            matches!(target.scheme(), "http" | "https").then(|| (target.to_string(), element.text().collect()))
        };
        self.document.select(&selector).filter_map(link).collect()
    }
}

/// A price is digits, with a fraction or without one.
fn is_price(text: &str) -> bool {
    let are_digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    are_digits(whole) && are_digits(fraction)
}

/// Makes up the values of custom attributes, each of the type that its schema asks for.
pub(crate) fn custom_attributes(schema: &Map<String, Value>) -> Value {
    json!({"values": values(schema), "metadata": {"inputTokens": 0, "outputTokens": 0, "textInputTokens": 0,
        "textInputTokensBeforeTruncation": 0, "maxInputTokens": 100_000, "excludedPIIAttributes": []}})
}

fn values(schema: &Map<String, Value>) -> Value {
    schema.iter().map(|(name, schema)| (name.clone(), value(schema))).collect()
}

fn value(schema: &Value) -> Value {
    if let Some(first) = schema.get("enum").and_then(|it| it.get(0)) {
        return first.clone();
    }
    match schema.get("type").and_then(Value::as_str) {
        Some("boolean") => false.into(),
        Some("number" | "integer") => 0.into(),
        Some("array") => json!([]),
        Some("object") => schema.get("properties").and_then(Value::as_object).map_or_else(|| json!({}), values),
        _ => "".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "<title>a shop</title><h1>a lamp</h1><p class=sku>7</p><p>bright<span class=price>1.50</span>\
        <a href=/p/2>b</a><a href='mailto:a@a.example'>c</a>";

    fn extracted(kind: &str) -> Value {
        let url = Url::parse("https://a.example/p/1?q=lamps").unwrap();
        extract(kind, &Source { url: &url, html: PAGE, downloaded: 0, keyword: None })
    }

    #[test]
    fn every_type_has_its_documented_shape() {
        let link = |label: &str| json!([{"url": "https://a.example/p/2", label: "b", "metadata": {"probability": 0.9}}]);
        let date = "1970-01-01T00:00:00Z";
        let (single, list) = (json!({"probability": 0.95, "dateDownloaded": date}), json!({"dateDownloaded": date}));
        let serp = json!({"displayedQuery": "lamps", "searchedQuery": "lamps", "totalOrganicResults": 1, "dateDownloaded": date});
        for (kind, field, expected, metadata) in [
            ("article", "headline", json!("a lamp"), &single),
            ("jobPosting", "jobTitle", json!("a lamp"), &single),
            ("pageContent", "title", json!("a shop"), &single),
            ("product", "name", json!("a lamp"), &single),
            ("product", "price", json!("1.50"), &single),
            ("product", "sku", json!("7"), &single),
            ("forumThread", "topic", json!({"name": "a lamp"}), &list),
            ("articleList", "articles", link("headline"), &list),
            ("productList", "products", link("name"), &list),
            ("articleNavigation", "items", link("name"), &list),
            ("jobPostingNavigation", "items", link("name"), &list),
            ("productNavigation", "items", link("name"), &list),
            ("serp", "organicResults", json!([{"rank": 1, "url": "https://a.example/p/2", "name": "b"}]), &serp),
        ] {
            let item = extracted(kind);
            assert_eq!((&item[field], &item["metadata"]), (&expected, metadata), "{kind}");
            assert_eq!(item["url"], "https://a.example/p/1?q=lamps", "{kind}");
        }
        assert_eq!(extracted("forumThread")["posts"][0], json!({"text": "7", "metadata": {"probability": 0.9}}));
    }

    #[test]
    fn a_price_that_is_no_number_is_left_out() {
        let url = Url::parse("https://a.example/").unwrap();
        for html in [
            "<b class=price>ask us</b>",
            "<b class=price></b>",
            "<b class=price>$5</b>",
            "<b class=price>1e5</b>",
            "<b class=price>5.</b>",
        ] {
            let product = extract("product", &Source { url: &url, html, downloaded: 0, keyword: None });
            assert!(product.get("price").is_none() && product.get("currency").is_none(), "{html}: {product}");
        }
    }

    #[test]
    fn custom_attributes_have_the_types_of_their_schema() {
        let schema = json!({"a": {"type": "string", "enum": ["x", "y"]}, "b": {"type": "integer"}, "c": {"type": "boolean"},
            "d": {"type": "array", "items": {"type": "string"}}, "e": {"type": "object", "properties": {"f": {"type": "string"}}}});
        let found = custom_attributes(schema.as_object().unwrap());
        assert_eq!(found["values"], json!({"a": "x", "b": 0, "c": false, "d": [], "e": {"f": ""}}));
    }
}
