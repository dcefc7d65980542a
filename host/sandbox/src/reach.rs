//! The hosts that a site's plugin may send calls to: its downloads, the calls that initialise sessions, and pages that it edits.

use carousel_core::exchange::{Object, Request, host_of, is_web};
use carousel_core::pattern::{AllowedHosts, Rule, RuleError, is_same_host};
use serde_json::Value;

/// The pattern of the settings that stands for every host.
const ANY: &str = "*";

/// Which hosts calls may go to.
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

    /// Refuses an API call that leads elsewhere, in words for the plugin's author. Where the request at hand leads is always allowed.
    pub(crate) fn check(&self, call: &Object, asked: &Request) -> Result<(), String> {
        urls(call).try_for_each(|url| self.check_url(url, asked))
    }

    fn check_url(&self, url: &Value, asked: &Request) -> Result<(), String> {
        let url = url.as_str().filter(|url| is_web(url)).ok_or_else(|| format!("{url} is no http or https URL"))?;
        let mut of_request = urls(asked.params()).filter_map(Value::as_str);
        if of_request.any(|own| is_same_host(url, own)) || self.hosts.iter().any(|hosts| hosts.allows(url)) {
            return Ok(());
        }
        let host = host_of(url);
        Err(format!(
            "the host \"{host}\" is none of the site's; allow it with download_hosts in the [[site]] table or in [plugins]"
        ))
    }
}

/// Where a call leads: its URL, and those that browser actions go to.
fn urls(call: &Object) -> impl Iterator<Item = &Value> {
    let managed = call.get("sessionContextParameters").and_then(|parameters| parameters.get("actions"));
    let actions = call.get("actions").into_iter().chain(managed).filter_map(Value::as_array).flatten();
    let visits = actions.filter(|action| action.get("action").is_some_and(|name| name == "goto"));
    call.get("url").into_iter().chain(visits.filter_map(|action| action.get("url")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn allows(include: &[&str], settings: &[&str], url: &str) -> bool {
        let own = |texts: &[&str]| texts.iter().map(|&text| text.to_owned()).collect::<Vec<_>>();
        let rule = Rule { include: own(include), ..Rule::default() };
        let reach = Reach::new(&[rule], own(settings).iter()).unwrap();
        check(&reach, json!({"url": url})).is_ok()
    }

    fn check(reach: &Reach, call: Value) -> Result<(), String> {
        let visit = json!([{"action": "goto", "url": "https://visited.example/"}]);
        let request = Request::from_json(json!({"url": "https://asked.example:8000/page", "actions": visit})).unwrap();
        reach.check(call.as_object().unwrap(), &request)
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
            (&["shop.example"], &["*"], "file:///etc/passwd", false),
            (&[""], &["*"], "ftp://shop.example/", false),
            (&["shop.example"], &[], "http://169.254.169.254/latest/meta-data", false),
        ] {
            assert_eq!(allows(include, settings, url), allowed, "{include:?} {settings:?} {url}");
        }
    }

    #[test]
    fn a_refusal_names_the_host_and_the_setting() {
        let words = check(&Reach::default(), json!({"url": "https://b.example/x"})).unwrap_err();
        assert!(words.contains("\"b.example\"") && words.contains("download_hosts"), "{words}");
        let words = check(&Reach::default(), json!({"url": "file:///etc/passwd"})).unwrap_err();
        assert_eq!(words, "\"file:///etc/passwd\" is no http or https URL");
        assert!(check(&Reach::default(), json!({"url": 3})).unwrap_err().starts_with("3 is no http"));
    }

    #[test]
    fn a_browser_goes_no_further_than_a_call() {
        let reach = Reach::default();
        let goto = |url: &str| json!([{"action": "reload"}, {"action": "goto", "url": url}]);
        for url in ["https://asked.example:8000/login", "https://visited.example/elsewhere"] {
            assert_eq!(check(&reach, json!({"actions": goto(url)})), Ok(()), "the request leads there itself");
        }
        assert_eq!(check(&reach, json!({"actions": [{"action": "evaluate", "url": "https://b.example/"}]})), Ok(()));
        for call in [
            json!({"actions": goto("https://b.example/")}),
            json!({"sessionContextParameters": {"actions": goto("file:///etc/passwd")}}),
        ] {
            assert!(check(&reach, call.clone()).is_err(), "{call}");
        }
    }
}
