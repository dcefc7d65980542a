//! Which names stand before secrets: in URLs, forms, JSON, headers, settings and pages.

use percent_encoding::percent_decode_str;

/// Where a name stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// Before a field of a URL, a form or the body of a request, where some everyday words stand for secrets.
    Field,
    /// Anywhere else.
    Anywhere,
}

/// What in a name makes a secret of its value, whatever stands around it. Names are compared as their letters and digits alone.
const PARTS: [&str; 33] = [
    "accesskey",
    "apikey",
    "authcode",
    "authentication",
    "authkey",
    "authorisation",
    "authorization",
    "bearer",
    "clientassertion",
    "codeverifier",
    "credential",
    "csrf",
    "encryptionkey",
    "jsessionid",
    "jwt",
    "onetimecode",
    "passcode",
    "passphrase",
    "passwd",
    "password",
    "phpsessid",
    "privatekey",
    "secret",
    "securitycode",
    "sessid",
    "sessionid",
    "sessionkey",
    "signature",
    "signingkey",
    "token",
    "verificationcode",
    "xsrf",
    "contrasena",
];

/// Words that do so only as words of their own: `pin`, `card_pin`, `cardPin`, but not `shipping`.
const WORDS: [&str; 21] = [
    "auth", "authz", "cred", "creds", "cvc", "cvv", "hmac", "kennwort", "mfa", "otp", "pass", "passwort", "pin", "psw", "pw",
    "pwd", "sid", "sig", "tan", "totp", "pword",
];

/// Whole names that do so in a [`Place::Field`].
const FIELDS: [&str; 9] = ["assertion", "code", "key", "magic", "samlresponse", "sess", "session", "ticket", "hdnts"];

/// Last words of names whose values say something about a secret.
const ABOUT: [&str; 32] = [
    "alg",
    "algorithm",
    "at",
    "count",
    "css",
    "enabled",
    "endpoint",
    "expiration",
    "expires",
    "expiry",
    "field",
    "hint",
    "in",
    "length",
    "lifetime",
    "limit",
    "max",
    "min",
    "name",
    "names",
    "path",
    "pattern",
    "regex",
    "required",
    "scheme",
    "selector",
    "ttl",
    "type",
    "uri",
    "url",
    "valid",
    "xpath",
];

/// Whether what stands under this name is a secret.
pub(super) fn is_secret(name: &str, place: Place) -> bool {
    let name = percent_decode_str(name).decode_utf8_lossy();
    let words = words(&name);
    if words.last().is_some_and(|last| ABOUT.contains(&last.as_str())) {
        return false;
    }
    let whole = words.concat();
    PARTS.iter().any(|part| whole.contains(part))
        || words.iter().any(|word| WORDS.contains(&word.as_str()))
        || (place == Place::Field && FIELDS.contains(&whole.as_str()))
}

/// Whether a value under a name that stands for a secret in a [`Place::Field`] alone is more likely an everyday one: a word, or a
/// number with less digits than a code has.
pub(super) fn is_everyday(name: &str, value: &str) -> bool {
    let is_word = value.len() < 12 && value.bytes().all(|byte| byte.is_ascii_alphabetic());
    let is_number = value.len() < 6 && value.bytes().all(|byte| byte.is_ascii_digit());
    (is_word || is_number) && !is_secret(name, Place::Anywhere)
}

/// The words of a name in lower case: `refreshJwt`, `refresh_jwt` and `REFRESH-JWT` have two.
fn words(name: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut characters = name.chars().peekable();
    let mut before = ' ';
    while let Some(character) = characters.next() {
        if character.is_alphanumeric() {
            let is_next_small = characters.peek().is_some_and(|next| next.is_lowercase());
            let begins = !before.is_alphanumeric() || (character.is_uppercase() && (!before.is_uppercase() || is_next_small));
            match words.last_mut().filter(|_| !begins) {
                Some(word) => word.extend(character.to_lowercase()),
                None => words.push(character.to_lowercase().collect()),
            }
        }
        before = character;
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_secrets_are_known_in_any_spelling() {
        for name in [
            "password",
            "user[password]",
            "user%5Bpassword%5D",
            "newPassword",
            "access_token",
            "refreshJwt",
            "REFRESH-JWT",
            "client_secret",
            "X-Api-Key",
            "APIKey",
            "pass",
            "pwd",
            "otp",
            "pin",
            "cardPin",
            "auth",
            "sig",
            "jwt",
            "sid",
            "PHPSESSID",
            "X-Amz-Signature",
            "__RequestVerificationToken",
            "authenticity_token",
            "X-Amz-Security-Token",
            "db.pass",
        ] {
            assert!(is_secret(name, Place::Anywhere), "{name}");
        }
        for name in ["key", "code", "session", "SAMLResponse"] {
            assert!(is_secret(name, Place::Field) && !is_secret(name, Place::Anywhere), "{name}");
        }
    }

    #[test]
    fn everyday_names_are_not_and_neither_is_what_is_said_about_a_secret() {
        for name in [
            "author",
            "shipping",
            "compass",
            "postalCode",
            "zip_code",
            "keyword",
            "page",
            "design",
            "spin",
            "passenger",
            "statusCode",
            "token_type",
            "expires_in",
            "passwordField",
            "csrf_selector",
            "token_url",
            "",
            "%",
            "inside",
        ] {
            assert!(!is_secret(name, Place::Field), "{name}");
        }
    }
}
