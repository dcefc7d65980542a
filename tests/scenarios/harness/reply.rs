//! What the scripted API answers.

use serde_json::{Map, Value, json};

use super::api::Call;

/// The body of every page, whatever its HTML: `<p class=ok>fine</p>`.
const BODY: &str = "PHAgY2xhc3M9b2s+ZmluZTwvcD4=";

/// An answer of the scripted API.
pub(crate) enum Reply {
    /// Success: a page with this HTML, and members that are added to the answer or replace others.
    Page { html: String, members: Value },
    /// An error: status and `type`.
    Problem(u16, &'static str),
    /// An error with this body.
    Told(u16, Value),
    /// Success with a body that is not JSON.
    NotJson,
}

/// The errors that scenarios name, with their titles.
pub(crate) const BAN: Reply = Reply::Problem(520, "/download/temporary-error");
pub(crate) const UNPROCESSABLE: Reply = Reply::Problem(422, "/request/unprocessable");
pub(crate) const BAD_KEY: Reply = Reply::Problem(401, "/auth/key-not-found");
pub(crate) const SUSPENDED: Reply = Reply::Problem(403, "/auth/account-suspended");
pub(crate) const EXPIRED: Reply = Reply::Problem(422, "/problem/session-expired");
pub(crate) const BUSY: Reply = Reply::Problem(429, "/limits/over-user-limit");

impl Reply {
    /// A page.
    pub(crate) fn page(html: &str) -> Self {
        Self::Page { html: html.to_owned(), members: json!({}) }
    }

    /// A page that any check is content with.
    pub(crate) fn ok() -> Self {
        Self::page("<p class=ok>fine</p>")
    }

    /// Status, content type and body on the wire.
    pub(crate) fn render(&self, call: &Call) -> (u16, &'static str, String) {
        match self {
            Self::Page { html, members } => (200, "application/json", answer(call, html, members).to_string()),
            Self::Problem(status, kind) => {
                let detail = format!("scripted for {}", call.url());
                let problem = json!({"type": kind, "title": title(kind), "status": status, "detail": detail});
                (*status, "application/problem+json", problem.to_string())
            }
            Self::Told(status, problem) => (*status, "application/problem+json", problem.to_string()),
            Self::NotJson => (200, "application/json", "{\"url\": ".to_owned()),
        }
    }
}

fn title(kind: &str) -> String {
    kind.rsplit('/').next().unwrap_or_default().replace('-', " ")
}

/// What was asked for, and nothing else.
fn answer(call: &Call, html: &str, members: &Value) -> Value {
    let mut answer = Map::new();
    answer.insert("url".to_owned(), json!(call.url()));
    answer.insert("statusCode".to_owned(), json!(200));
    if call.body["browserHtml"] == true {
        answer.insert("browserHtml".to_owned(), json!(html));
    }
    if call.body["httpResponseBody"] == true {
        answer.insert("httpResponseBody".to_owned(), json!(BODY));
    }
    for repeated in ["session", "echoData"] {
        if let Some(value) = call.body.get(repeated) {
            answer.insert(repeated.to_owned(), value.clone());
        }
    }
    answer.extend(members.as_object().unwrap().clone());
    Value::Object(answer)
}
