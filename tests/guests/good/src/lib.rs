//! A well-behaved plugin for the host's tests: a page is right if it has an element of class `ok`.

use carousel_guest::prelude::*;

struct Good;

#[session_config(include = ["good.example"])]
impl SessionConfig for Good {
    fn check(response: &Response, _request: &Request) -> Result<Verdict> {
        Ok(Verdict::keep_if(response.css(".ok")?.exists()))
    }
}
