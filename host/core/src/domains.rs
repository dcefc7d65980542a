//! Domains that Zyte API refuses or cannot reach: requests of theirs end, those of others go on.

use std::collections::BTreeMap;

use url::Url;

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
    /// Ends the domain of a URL if the problem is about it: 451 ends the domain that the answer names (`blockedDomain`) with its
    /// subdomains, else the host; 421 `/website/domain-unreachable` ends the host, others of the domain may be reachable. Returns
    /// whether the problem is of this kind.
    pub fn handle_problem(&mut self, problem: &Problem, url: &str) -> bool {
        let Some(host) = host(url) else { return false };
        let (domain, with_subdomains) = match (problem.status, problem.kind.as_str()) {
            (451, _) => match blocked_domain(problem).filter(|domain| is_within(&host, domain)) {
                Some(domain) => (domain, true),
                None => (host, false),
            },
            (_, "/website/domain-unreachable") => (host, false),
            _ => return false,
        };
        self.0.entry(domain).or_insert_with(|| Ended { why: problem.to_string().into(), with_subdomains });
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

fn blocked_domain(problem: &Problem) -> Option<String> {
    let domain = Raw::of(&problem.body).get("blockedDomain")?.string()?.trim_matches('.').to_ascii_lowercase();
    (!domain.is_empty()).then_some(domain)
}

fn is_within(host: &str, domain: &str) -> bool {
    host == domain || host.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.'))
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
            (451, forbidden, r#"{"blockedDomain": "other.example"}"#, &["www.shop.example"]),
            (451, forbidden, "no json", &["www.shop.example"]),
            (421, "/website/domain-unreachable", "", &["www.shop.example"]),
            (421, "/website/connection-error", "", &[]),
            (520, "/download/temporary-error", "", &[]),
        ] {
            let domains = ended(status, kind, body);
            for host in ["www.shop.example", "shop.example", "a.shop.example", "workshop.example", "other.example"] {
                let is_over = domains.reason(&format!("https://{host}:8443/x")).is_some();
                assert_eq!(is_over, over.contains(&host), "{status} {kind} {body}: {host}");
            }
        }
    }
}
