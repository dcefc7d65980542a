//! Who may ask: HTTP Basic with the API key as user and an empty password.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::options::SimulatorOptions;
use crate::problem::Problem;

/// The header that every 401 carries.
pub(crate) const CHALLENGE: (&str, &str) = ("www-authenticate", "Basic realm=\"Zyte API\"");

/// Accepts the credentials or says what is wrong with them.
pub(crate) fn authenticate(authorization: Option<&str>, options: &SimulatorOptions) -> Result<(), Problem> {
    let Some(credentials) = authorization.and_then(basic_credentials) else {
        return Err(Problem::new(401, "/auth/not-valid", "send the API key as the user of HTTP basic authentication"));
    };
    // Credentials that cannot be decoded count as an unknown key: seen live.
    check_key(&decode_key(credentials).unwrap_or_default(), options)
}

/// Accepts a key or says what is wrong with it.
pub(crate) fn check_key(key: &str, options: &SimulatorOptions) -> Result<(), Problem> {
    if !is_known(key, options) {
        return Err(Problem::new(401, "/auth/key-not-found", "this API key does not exist"));
    }
    if key.starts_with("suspended") {
        return Err(Problem::new(403, "/auth/account-suspended", "this account is suspended or has reached its spending limit"));
    }
    Ok(())
}

fn basic_credentials(header: &str) -> Option<&str> {
    let (scheme, credentials) = header.trim().split_once(' ')?;
    scheme.eq_ignore_ascii_case("basic").then(|| credentials.trim())
}

fn decode_key(credentials: &str) -> Option<String> {
    let text = String::from_utf8(STANDARD.decode(credentials).ok()?).ok()?;
    let (key, _password) = text.split_once(':')?;
    Some(key.to_owned())
}

fn is_known(key: &str, options: &SimulatorOptions) -> bool {
    if key.is_empty() || key.starts_with("unknown") {
        return false;
    }
    options.api_key.as_ref().is_none_or(|known| known == key || key.starts_with("suspended"))
}

#[cfg(test)]
mod tests {
    use super::authenticate;
    use crate::options::SimulatorOptions;

    #[test]
    fn each_bad_credential_has_its_answer() {
        let options = SimulatorOptions { api_key: Some("foo".into()), ..SimulatorOptions::default() };
        for (header, expected) in [
            (None, Some((401, "/auth/not-valid"))),
            (Some("Bearer Zm9vOg=="), Some((401, "/auth/not-valid"))),
            (Some("Basic"), Some((401, "/auth/not-valid"))),
            (Some("Basic !!!"), Some((401, "/auth/key-not-found"))),
            (Some("Basic YmFyOg=="), Some((401, "/auth/key-not-found"))),
            (Some("Basic c3VzcGVuZGVkOg=="), Some((403, "/auth/account-suspended"))),
            (Some("Basic Zm9vOg=="), None),
            (Some("basic  Zm9vOg=="), None),
        ] {
            let outcome = authenticate(header, &options).err();
            let outcome = outcome.as_ref().map(|it| (it.status, it.kind.as_ref()));
            assert_eq!(outcome, expected, "{header:?}");
        }
    }
}
