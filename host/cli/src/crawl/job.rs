//! Which Scrapy Cloud job a crawl is part of.

/// The variable that a job finds its key in.
const VARIABLE: &str = "SHUB_JOBKEY";

/// Characters that the API takes for a `jobId` at most.
const MAX_CHARS: usize = 100;

/// The key of the job around this process, if there is one.
pub(crate) fn id() -> Option<String> {
    let key = std::env::var_os(VARIABLE)?.into_string().ok();
    let usable = key.as_deref().and_then(usable);
    if usable.is_none() {
        tracing::warn!("{VARIABLE} is not sent as jobId: it is not a text of 1 to {MAX_CHARS} characters");
    }
    usable
}

fn usable(key: &str) -> Option<String> {
    let key = key.trim();
    (!key.is_empty() && key.chars().count() <= MAX_CHARS).then(|| key.to_owned())
}

#[cfg(test)]
mod tests {
    use super::usable;

    #[test]
    fn a_key_is_sent_where_the_api_takes_it() {
        let long = "1".repeat(101);
        for (key, expected) in [
            ("1/2/3", Some("1/2/3")),
            (" 1/2/3\n", Some("1/2/3")),
            ("", None),
            (" ", None),
            (long.as_str(), None),
            (&long[1..], Some(&long[1..])),
        ] {
            assert_eq!(usable(key).as_deref(), expected, "{key:?}");
        }
    }
}
