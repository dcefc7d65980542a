//! A well-behaved plugin for the host's tests: a page is right if it has an element of class `ok`.

use carousel_guest::prelude::*;

struct Good;

#[session_config(include = ["good.example"])]
impl SessionConfig for Good {
    fn check(response: &Response, _request: &Request) -> Result<Verdict> {
        Ok(Verdict::keep_if(response.css(".ok")?.exists()))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use carousel_guest::{prelude::*, testing};

    #[test]
    fn a_page_is_right_if_it_has_the_element() {
        let request = testing::request("https://good.example/").build();
        for (html, kept) in [("<p class=ok>", true), ("<p class=no>", false)] {
            let page = testing::response().html(html).build();
            assert_eq!(super::Good::check(&page, &request).unwrap().is_keep(), kept, "{html}");
        }
    }
}
