//! Market: a shop that shows prices only to visitors who said where they live.
//!
//! A visitor types a zip code into the form on the start page; from then on a cookie makes every page show that zip code and
//! the prices there. The browser action `setLocation` does not know this shop, so the plugin fills in the form itself.
//!
//! * `location_params` initialises a session: open the start page in a browser, type the zip code, press "Save". A session
//!   that began in a browser also serves plain HTTP requests, which cost less.
//! * `location_check` looks at every answer: the zip code that the page shows must be the one that the request asks for.
//!   Otherwise the session is discarded and the page fetched again on another one, so no wrong price gets through. A zip code
//!   that the shop refuses will be refused for ever: that ends its pool instead of opening session after session.
//!
//! Requests without a location are none of the plugin's business: the host serves them as usual.

use carousel_guest::prelude::*;

struct Market;

#[session_config(include = ["market.example"])]
impl LocationSessionConfig for Market {
    fn location_params(request: &Request, location: &Location) -> Result<Params> {
        let field = json!({"type": "css", "value": "#zip"});
        let button = json!({"type": "css", "value": "#save"});
        Ok(Params::browser_html()
            .url(format!("https://{}/", request.host()))
            .action(json!({"action": "waitForSelector", "selector": field}))
            .action(json!({"action": "type", "selector": field, "text": zip(location)?}))
            .action(json!({"action": "click", "selector": button}))
            .action(json!({"action": "waitForSelector", "selector": {"type": "css", "value": ".price, .error"}})))
    }

    fn location_check(response: &Response, request: &Request, location: &Location) -> Result<Verdict> {
        let zip = zip(location)?;
        let refusal = response.css(".error::text")?.into_first();
        if let Some(refusal) = refusal.filter(|_| request.is_init()) {
            return Ok(Verdict::close_pool(format!("the market refuses {zip}: {refusal}")));
        }
        Ok(match response.css(".zip::text")?.first() {
            Some(shown) if shown == zip => Verdict::keep(),
            Some(shown) => Verdict::discard(format!("the page is for {shown}")),
            None => Verdict::discard("the page is for nowhere"),
        })
    }
}

fn zip(location: &Location) -> Result<&str> {
    let zip = location.postal_code.as_deref();
    zip.ok_or_else(|| Error::close_pool("a market knows places by zip code: give the location a postalCode"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

    use carousel_guest::{prelude::*, testing};

    use super::Market;

    const PAGE: &str = "https://s001.market.example/p/7";

    fn verdict(request: testing::RequestBuilder, html: &str) -> Verdict {
        let request = request.location(json!({"postalCode": "10001"})).build();
        Market::check(&testing::response().html(html).build(), &request).unwrap()
    }

    #[test]
    fn a_session_begins_with_the_form_on_the_start_page_of_the_same_host() {
        let request = testing::request(PAGE).location(json!({"postalCode": "10001"})).build();
        let params = Market::params(&request).unwrap();
        assert_eq!(params.get("url"), Some(&json!("https://s001.market.example/")));
        let actions = params.get("actions").unwrap();
        let names: Vec<_> = actions.as_array().unwrap().iter().map(|action| action["action"].as_str().unwrap()).collect();
        assert_eq!(names, ["waitForSelector", "type", "click", "waitForSelector"]);
        assert_eq!((&actions[1]["text"], &actions[2]["selector"]["value"]), (&json!("10001"), &json!("#save")));
    }

    #[test]
    fn only_a_page_for_the_right_place_is_kept() {
        for (html, expected) in [
            ("<span class=zip>10001</span>", Verdict::keep()),
            ("<span class=zip>60601</span>", Verdict::discard("the page is for 60601")),
            ("<span class=zip></span>", Verdict::discard("the page is for nowhere")),
            ("<h1>robot?</h1>", Verdict::discard("the page is for nowhere")),
        ] {
            assert_eq!(verdict(testing::request(PAGE), html), expected, "page with {html}");
            assert_eq!(verdict(testing::request(PAGE).init(), html), expected, "start page with {html}");
        }
    }

    #[test]
    fn a_place_that_the_shop_refuses_ends_its_pool() {
        let html = "<span class=zip></span><p class=error>we do not deliver there</p>";
        let refused = Verdict::close_pool("the market refuses 10001: we do not deliver there");
        assert_eq!(verdict(testing::request(PAGE).init(), html), refused);
        assert_eq!(verdict(testing::request(PAGE), html).kind(), "discard", "a page may speak of other errors");
    }

    #[test]
    fn a_location_without_zip_code_ends_its_pool_before_anything_is_sent() {
        let request = testing::request(PAGE).location(json!({"addressCountry": "US"})).build();
        assert_eq!(Market::params(&request).unwrap_err().kind(), "close-pool");
    }

    #[test]
    fn without_a_location_the_host_does_as_usual() {
        let request = testing::request(PAGE).build();
        assert_eq!(Market::params(&request).unwrap(), Params::browser_html());
        let locked = testing::response().html("<span class=zip></span>").build();
        assert!(Market::check(&locked, &request).unwrap().is_keep());
    }
}
