//! An error answer of the API, read as leniently as it is written.

use std::borrow::Cow;
use std::time::Duration;

use carousel_core::exchange::{Problem, without_credentials};
use carousel_core::json::Raw;
use carousel_core::text::shorten;
use reqwest::header::{HeaderMap, LOCATION, RETRY_AFTER};
use reqwest::{Response, Url};

/// Characters of an address that are told.
const MAX_PLACE: usize = 200;

/// Bytes of an error body that are kept; problem documents have a few hundred.
const MAX_BODY_BYTES: usize = 64 << 10;

/// Reads an error answer. A body that breaks off or is too long is read as far as it came; where it is no problem document the
/// status says enough.
pub(crate) async fn read(mut response: Response) -> Problem {
    let mut body = Vec::new();
    while let Ok(Some(chunk)) = response.chunk().await {
        let room = MAX_BODY_BYTES - body.len();
        body.extend(chunk.iter().take(room));
        if chunk.len() > room {
            break;
        }
    }
    problem(response.status().as_u16(), response.headers(), &body)
}

/// What to say of a redirect, which the API never sends and which is not followed. Its page says nothing of use.
pub(crate) fn redirect(response: &Response, endpoint: &Url) -> Problem {
    let place = response.headers().get(LOCATION).map(|place| String::from_utf8_lossy(place.as_bytes()).into_owned());
    let place = place.map(|place| format!(" to {}", shorten(&without_credentials(&place), MAX_PLACE))).unwrap_or_default();
    Problem {
        status: response.status().as_u16(),
        kind: "about:blank".to_owned(),
        title: "Redirect".to_owned(),
        detail: format!(
            "{endpoint} redirects{place}; the API has no redirects, and none is followed, so that the key goes nowhere else: set api.url \
             (--api-url) to the API's own address"
        ),
        request_id: request_id(response.headers()).map(str::to_owned),
        ..Problem::default()
    }
}

/// The `request-id` header.
pub(crate) fn request_id(headers: &HeaderMap) -> Option<&str> {
    headers.get("request-id")?.to_str().ok()
}

fn problem(status: u16, headers: &HeaderMap, body: &[u8]) -> Problem {
    let body = String::from_utf8_lossy(body).into_owned();
    let text = |name: &str| Raw::of(&body).get(name).and_then(Raw::string).map(Cow::into_owned);
    Problem {
        status,
        kind: text("type").unwrap_or_else(|| "about:blank".to_owned()),
        title: text("title").unwrap_or_default(),
        detail: text("detail").unwrap_or_default(),
        request_id: request_id(headers).map(str::to_owned),
        retry_after: retry_after(headers),
        body: body.clone(),
    }
}

/// Seconds; the API promises a whole number. A date, which HTTP also allows, counts as absent.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds: u32 = headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds.into()))
}
