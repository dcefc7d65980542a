//! The request list of the demo: what someone who crawls many sites would feed in.

use serde_json::{Map, Value, json};

/// Requests for each site.
const ROUNDS: usize = 20;

/// Requests for the first site of each family: enough to wear out sessions where sites ban them.
const BUSY_ROUNDS: usize = 80;

/// Families and the number of their sites; the nameless one is plain.
const FAMILIES: &[(&str, usize)] =
    &[("market", 24), ("tickets", 20), ("club", 12), ("grocer", 12), ("pharmacy", 12), ("bakery", 12), ("", 36)];

/// Postal codes that the requests ask for; a site keeps to one, so that it needs one pool.
const PLACES: &[&str] = &["10001", "60601", "94105", "33101"];

/// Gives the requests of the demo, always the same 2,980 for 128 sites: JSON-lines objects with `url`, `httpResponseBody` or
/// `browserHtml`, for shops with a location also `meta.zyte_api_session_location` and the tag `place`, which the
/// simulator's meters compare with the page. The sites take turns: one request of each, then the next of each; the
/// first site of each family goes on when the others are done.
pub fn demo_requests() -> impl Iterator<Item = Map<String, Value>> {
    (0..BUSY_ROUNDS).flat_map(|round| {
        FAMILIES
            .iter()
            .flat_map(|(family, sites)| (1..=*sites).map(move |site| (*family, site)))
            .filter(move |(_, site)| *site == 1 || round < ROUNDS)
            .map(move |(family, site)| request(family, site, round))
    })
}

fn request(family: &str, site: usize, round: usize) -> Map<String, Value> {
    let product = 1 + (site * 37 + round * 11) % 997;
    let (host, path) = match family {
        "" => (format!("s{site:03}.plain.example"), format!("p/{product}")),
        "club" => (format!("s{site:03}.club.example"), format!("members/{product}")),
        _ => (format!("s{site:03}.{family}.example"), format!("p/{product}")),
    };
    let mut request = Map::new();
    request.insert("url".into(), format!("https://{host}/{path}").into());
    // Tickets need a header, which only HTTP requests have; elsewhere every fourth page is wanted as a browser shows it.
    let is_browser = family != "tickets" && round % 4 == 3;
    let output = if is_browser { "browserHtml" } else { "httpResponseBody" };
    request.insert(output.into(), true.into());
    if matches!(family, "market" | "grocer" | "pharmacy" | "bakery") {
        let place = PLACES.get(site % PLACES.len()).copied().unwrap_or("10001");
        request.insert("tags".into(), json!({"place": place}));
        let location = json!({"addressCountry": "US", "postalCode": place});
        request.insert("meta".into(), json!({"zyte_api_session_location": location}));
    }
    request
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::time::Duration;

    use super::demo_requests;
    use crate::{Simulator, SimulatorOptions};

    #[test]
    fn the_demo_asks_for_thousands_of_pages_of_more_than_a_hundred_sites() {
        let hosts: BTreeSet<String> =
            demo_requests().map(|it| it["url"].as_str().unwrap().split('/').nth(2).unwrap().to_owned()).collect();
        let urls: BTreeSet<String> = demo_requests().map(|it| it["url"].as_str().unwrap().to_owned()).collect();
        assert_eq!((hosts.len(), demo_requests().count()), (128, 2_980));
        assert_eq!(urls.len(), 2_980, "no request is a duplicate of another");
    }

    #[test]
    fn every_demo_request_is_one_that_the_api_accepts() {
        let mut simulator = Simulator::new(SimulatorOptions::default());
        for mut request in demo_requests() {
            request.remove("meta");
            let reply = simulator.extract(Duration::ZERO, &request);
            assert_eq!(reply.status, 200, "{request:?}");
        }
        let report = simulator.report();
        assert_eq!(report["billed"]["total"], 2_980);
        // Without sessions only the plain sites serve good pages.
        assert_eq!(report["pages"]["good"], 36 * 20 + 60);
    }
}
