//! Domains that Zyte API refuses or cannot reach: requests of theirs end, those of others go on.

use std::collections::BTreeMap;

use url::{Host, Url};

use crate::exchange::Problem;
use crate::json::Raw;

/// The domains that have ended, and why. One entry for each domain that was refused.
#[derive(Clone, Debug, Default)]
pub struct EndedDomains(BTreeMap<String, Ended>);

#[derive(Clone, Debug)]
struct Ended {
    why: Box<str>,
    with_subdomains: bool,
}

impl EndedDomains {
    /// Ends the domain that a problem with a call on this URL is about, if it is of that kind: 451 ends the domain that the answer names
    /// (`blockedDomain`) with its subdomains, which need not be the URL's own (a page may lead to another site), else the URL's host; 421
    /// `/website/domain-unreachable` ends the host, others of the domain may be reachable. Returns whether a domain has ended that had
    /// not, or not all of it.
    pub fn handle_problem(&mut self, problem: &Problem, url: &str) -> bool {
        let (domain, with_subdomains) = match (problem.status, problem.kind.as_str()) {
            (451, _) => match blocked_domain(problem) {
                Some(domain) => (Some(domain), true),
                None => (host(url), false),
            },
            (_, "/website/domain-unreachable") => (host(url), false),
            _ => return false,
        };
        let Some(domain) = domain else { return false };
        let is_known = |ended: &Ended| ended.with_subdomains || !with_subdomains;
        if self.0.get(&domain).is_some_and(is_known) {
            return false;
        }
        self.0.insert(domain, Ended { why: problem.to_string().into(), with_subdomains });
        true
    }

    /// Why requests for this URL have ended, if they have.
    pub fn reason(&self, url: &str) -> Option<&str> {
        if self.0.is_empty() {
            return None;
        }
        let host = host(url)?;
        let own = self.0.get(&host).map(|ended| &*ended.why);
        let parents = host.match_indices('.').filter_map(|(dot, _)| host.get(dot + 1..));
        own.or_else(|| {
            parents.filter_map(|parent| self.0.get(parent)).find(|ended| ended.with_subdomains).map(|ended| &*ended.why)
        })
    }
}

fn host(url: &str) -> Option<String> {
    Some(Url::parse(url).ok()?.host_str()?.trim_end_matches('.').to_owned())
}

/// The domain that the answer names, as hosts in URLs are written. A top-level domain would be no domain of anybody's.
fn blocked_domain(problem: &Problem) -> Option<String> {
    let named = Raw::of(&problem.body).get("blockedDomain")?.string()?;
    let domain = Host::parse(named.trim().trim_matches('.')).ok()?.to_string();
    domain.contains('.').then_some(domain)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ended(status: u16, kind: &str, body: &str) -> EndedDomains {
        let mut domains = EndedDomains::default();
        let problem = Problem { status, kind: kind.to_owned(), body: body.to_owned(), ..Problem::default() };
        domains.handle_problem(&problem, "https://www.Shop.example/a");
        domains
    }

    #[test]
    fn a_problem_ends_the_domain_it_is_about_and_no_other() {
        let forbidden = "/download/domain-forbidden";
        for (status, kind, body, over) in [
            (
                451,
                forbidden,
                r#"{"blockedDomain": "shop.example"}"#,
                ["www.shop.example", "shop.example", "a.shop.example"].as_slice(),
            ),
            (451, forbidden, r#"{"blockedDomain": ".Other.Example."}"#, &["other.example", "a.other.example"]),
            (451, forbidden, r#"{"blockedDomain": "example"}"#, &["www.shop.example"]),
            (451, forbidden, r#"{"blockedDomain": "no host"}"#, &["www.shop.example"]),
            (451, "about:blank", r#"{"blockedDomain": "www.shop.example"}"#, &["www.shop.example"]),
            (451, forbidden, "no json", &["www.shop.example"]),
            (421, "/website/domain-unreachable", "", &["www.shop.example"]),
            (421, "/website/connection-error", "", &[]),
            (520, "/download/temporary-error", "", &[]),
        ] {
            let domains = ended(status, kind, body);
            let hosts =
                ["www.shop.example", "shop.example", "a.shop.example", "workshop.example", "other.example", "a.other.example"];
            for host in hosts {
                let is_over = domains.reason(&format!("https://{host}:8443/x")).is_some();
                assert_eq!(is_over, over.contains(&host), "{status} {kind} {body}: {host}");
            }
        }
    }

    #[test]
    fn a_domain_whose_host_has_ended_can_still_end_as_a_whole() {
        let mut domains = EndedDomains::default();
        let unreachable = Problem { kind: "/website/domain-unreachable".to_owned(), status: 421, ..Problem::default() };
        let body = r#"{"blockedDomain": "shop.example"}"#.to_owned();
        let forbidden = Problem { status: 451, body, ..Problem::default() };
        let url = "https://shop.example/a";
        let news = [&unreachable, &unreachable, &forbidden, &forbidden, &unreachable].map(|it| domains.handle_problem(it, url));
        assert_eq!(news, [true, false, true, false, false]);
        assert!(domains.reason("https://www.shop.example/").is_some_and(|why| why.contains("451")));
    }
}
