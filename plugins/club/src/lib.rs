//! Club: pages for members only, behind a login of two steps.
//!
//! `/login` shows a form with a hidden token, which belongs to a cookie. The form is sent back with user, password and that
//! token; if all three are right, a cookie lets the visitor in and every page greets the member by name.
//!
//! * `init_session` is that chain of requests: fetch the form, send it, see whether the page that follows greets us. The form
//!   is fetched in a browser, because a session that began in a browser serves all kinds of requests. A refused password ends
//!   the pool at once: trying it again and again would get the account locked.
//! * `check` looks for our name on every page; a page without it means that the site has logged the session out.
//!
//! Whose account it is stands in the settings file, `config = { user = "ann", password = "…" }` in a `[[site]]` table.

use carousel_guest::prelude::*;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;

struct Club;

#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Account {
    user: String,
    password: String,
}

impl Default for Account {
    fn default() -> Self {
        Self { user: "guest".to_owned(), password: "open-sesame".to_owned() }
    }
}

#[session_config(include = ["club.example"])]
impl SessionConfig for Club {
    fn init_session(_session: &Session, request: &Request) -> Result<bool> {
        let account = account()?;
        let login = format!("https://{}/login", request.host());
        let form = download(Params::browser_html().url(login.as_str()))?;
        let token = form.css("#login input[name=token]::attr(value)")?.required()?;
        let welcome = download(account.send(login, &token))?;
        if welcome.status() == 403 {
            return Err(Error::close_pool(format!("the club refuses the user {} or the password", account.user)));
        }
        Ok(member(&welcome)? == Some(account.user))
    }

    fn check(response: &Response, _request: &Request) -> Result<Verdict> {
        Ok(match member(response)? {
            Some(name) if name == account()?.user => Verdict::keep(),
            Some(name) => Verdict::discard(format!("the page is for {name}")),
            None => Verdict::discard("logged out"),
        })
    }
}

impl Account {
    /// The request that sends the login form.
    fn send(&self, login: String, token: &str) -> Params {
        let fields = [("user", self.user.as_str()), ("password", &self.password), ("token", token)];
        let encode = |(name, value): (&str, &str)| format!("{name}={}", utf8_percent_encode(value, NON_ALPHANUMERIC));
        let content_type = json!({"name": "Content-Type", "value": "application/x-www-form-urlencoded"});
        Params::http_response_body()
            .url(login)
            .set("httpRequestMethod", "POST")
            .set("httpRequestText", fields.map(encode).join("&"))
            .set("customHttpRequestHeaders", json!([content_type]))
    }
}

fn account() -> Result<Account> {
    Ok(config::<Option<Account>>()?.unwrap_or_default())
}

/// The name by which the page greets us.
fn member(response: &Response) -> Result<Option<String>> {
    Ok(response.css(".member::text")?.into_first())
}

#[cfg(test)]
mod tests;
