//! The hosts that a site's plugin may download from.

use carousel_core::exchange::{Request, host_of};
use carousel_core::pattern::{AllowedHosts, Rule, RuleError, is_same_host};

/// The pattern of the settings that stands for every host.
const ANY: &str = "*";

/// Which hosts downloads may go to.
#[derive(Debug, Default)]
pub(crate) struct Reach {
    hosts: Vec<AllowedHosts>,
}

impl Reach {
    /// The hosts of the rules of a site, wherever on them the rules lead, and those that the settings name.
    pub(crate) fn new<'a>(rules: &[Rule], settings: impl Iterator<Item = &'a String>) -> Result<Self, RuleError> {
        let of_rules = rules.iter().flat_map(|rule| rule.include.iter());
        let patterns = of_rules.map(String::as_str).chain(settings.map(|host| if host == ANY { "" } else { host }));
        let read = |pattern: &str| {
            AllowedHosts::parse(pattern).map_err(|reason| RuleError::BadPattern {
                rule: "download_hosts".to_owned(),
                pattern: pattern.to_owned(),
                reason,
            })
        };
        Ok(Self { hosts: patterns.map(read).collect::<Result<_, _>>()? })
    }

    /// Refuses a download elsewhere, in words for the plugin's author. The host of the request at hand is always allowed.
    pub(crate) fn check(&self, url: &str, request: &Request) -> Result<(), String> {
        if is_same_host(url, request.url()) || self.hosts.iter().any(|hosts| hosts.allows(url)) {
            return Ok(());
        }
        let host = host_of(url);
        Err(format!(
            "the host \"{host}\" is none of the site's; allow it with download_hosts in the [[site]] table or in [plugins]"
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn allows(include: &[&str], settings: &[&str], url: &str) -> bool {
        let own = |texts: &[&str]| texts.iter().map(|&text| text.to_owned()).collect::<Vec<_>>();
        let rule = Rule { include: own(include), ..Rule::default() };
        let reach = Reach::new(&[rule], own(settings).iter()).unwrap();
        let request = Request::from_json(json!({"url": "https://asked.example:8000/page"})).unwrap();
        reach.check(url, &request).is_ok()
    }

    #[test]
    fn downloads_go_to_the_hosts_of_the_rules_of_the_settings_and_of_the_request() {
        for (include, settings, url, allowed) in [
            (&["shop.example"][..], &[][..], "https://shop.example/a", true),
            (&["shop.example"], &[], "https://api.shop.example/a", true),
            (&["shop.example/sale?x=1"], &[], "https://www.shop.example/help", true),
            (&["shop.example"], &[], "https://shop.example.evil.example/", false),
            (&["shop.example"], &[], "https://user:shop.example@evil.example/", false),
            (&["shop.example"], &[], "https://asked.example:8000/other", true),
            (&["shop.example"], &[], "https://asked.example/other", false),
            (&["shop.example"], &["token.example"], "https://token.example/t", true),
            (&["shop.example"], &["*"], "https://any.example/", true),
            (&[""], &[], "https://any.example/", true),
            (&[], &[], "https://any.example/", false),
            (&["shop.example"], &[], "no url", false),
            (&["shop.example"], &[], r"https://evil.example\.shop.example/", false),
            (&["shop.example"], &[], r"https://asked.example:8000\@evil.example/", false),
            (&["shop.example"], &[], "https://wwwxshop.example/", false),
            (&["shop.example"], &[], "file://shop.example/etc/passwd", false),
        ] {
            assert_eq!(allows(include, settings, url), allowed, "{include:?} {settings:?} {url}");
        }
    }

    #[test]
    fn a_refusal_names_the_host_and_the_setting() {
        let request = Request::from_json(json!({"url": "https://a.example/"})).unwrap();
        let words = Reach::default().check("https://b.example/x", &request).unwrap_err();
        assert!(words.contains("\"b.example\"") && words.contains("download_hosts"), "{words}");
    }
}
