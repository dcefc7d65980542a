//! What stands in for extraction: a few fields read from the page by CSS.

use scraper::{Html, Selector};
use serde_json::{Map, Value, json};

use crate::calendar::timestamp;

/// Extracts; `kind` is the name of the output field.
pub(crate) fn extract(kind: &str, url: &str, body: &[u8], now_seconds: i64) -> Value {
    let html = String::from_utf8_lossy(body);
    let document = Html::parse_document(&html);
    let first = |css: &str| {
        let selector = Selector::parse(css).ok()?;
        let element = document.select(&selector).next()?;
        Some(element.text().collect::<String>())
    };
    let mut item = Map::new();
    item.insert("url".into(), url.into());
    let title = first("h1").or_else(|| first("title"));
    if kind.ends_with("List") || kind.ends_with("Navigation") {
        let field = list_field(kind);
        item.insert(field.into(), links(&document, url).into());
    } else if let Some(title) = title {
        let field = if kind == "product" { "name" } else { "headline" };
        item.insert(field.into(), title.into());
    }
    if kind == "product" {
        let (price, sku) = (first(".price"), first(".sku"));
        item.extend(price.map(|price| ("price".to_owned(), price.into())));
        item.insert("currency".into(), "USD".into());
        item.extend(sku.map(|sku| ("sku".to_owned(), sku.into())));
    }
    item.insert("metadata".into(), metadata(now_seconds));
    Value::Object(item)
}

/// Makes the metadata that every extraction carries.
fn metadata(now_seconds: i64) -> Value {
    json!({"probability": 0.95, "dateDownloaded": timestamp(now_seconds)})
}

fn list_field(kind: &str) -> &'static str {
    match kind {
        "articleList" => "articles",
        "productList" => "products",
        _ => "items",
    }
}

fn links(document: &Html, url: &str) -> Vec<Value> {
    let (Ok(selector), Ok(base)) = (Selector::parse("a[href]"), url::Url::parse(url)) else {
        return Vec::new();
    };
    document
        .select(&selector)
        .filter_map(|link| {
            let target = base.join(link.value().attr("href")?).ok()?;
            let name = link.text().collect::<String>();
            Some(json!({"url": target.as_str(), "name": name, "metadata": {"probability": 0.9}}))
        })
        .collect()
}

/// Makes up the values of custom attributes: one empty value for each attribute.
pub(crate) fn custom_attributes(schema: &Map<String, Value>) -> Value {
    let values: Map<String, Value> = schema.keys().map(|name| (name.clone(), Value::Null)).collect();
    json!({"values": values, "metadata": {"inputTokens": 0, "outputTokens": 0, "textInputTokens": 0,
        "textInputTokensBeforeTruncation": 0, "excludedPIIAttributes": []}})
}

#[cfg(test)]
mod tests {
    use super::extract;

    const PAGE: &[u8] = b"<h1>a lamp</h1><p class=sku>7</p><span class=price>1.50</span><a href=/p/2>b</a>";

    #[test]
    fn a_product_is_read_from_its_page() {
        let product = extract("product", "https://a.example/p/1", PAGE, 0);
        assert_eq!(product["name"], "a lamp");
        assert_eq!(product["price"], "1.50");
        assert_eq!(product["metadata"]["dateDownloaded"], "1970-01-01T00:00:00Z");
    }

    #[test]
    fn a_list_has_the_links_of_its_page() {
        let list = extract("productNavigation", "https://a.example/c", PAGE, 0);
        assert_eq!(list["items"][0]["url"], "https://a.example/p/2");
    }
}
