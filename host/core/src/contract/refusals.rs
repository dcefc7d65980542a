//! Error answers after which every other call would fail as well.

use crate::exchange::Problem;
use crate::settings::Profile;

/// What is wrong with all calls of a crawl, as one answer tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hopeless {
    /// The API does not accept the key.
    BadKey,
    /// The account is suspended, or has reached its spending limit.
    SuspendedAccount,
    /// Calls do not go to the API's address: nothing is there, or something that sends them elsewhere, which the API never does.
    WrongAddress,
}

impl Hopeless {
    /// Says what an error answer tells of all calls; nothing where it is about its own. By its type before its status: a 401 or 403 may
    /// be about what one request asks for. The peer goes by these two statuses alone.
    pub fn of(profile: Profile, problem: &Problem) -> Option<Self> {
        match (problem.status, problem.kind.as_str()) {
            (401, _) if profile.is_peer() => Some(Self::BadKey),
            (403, _) if profile.is_peer() => Some(Self::SuspendedAccount),
            _ if profile.is_peer() => None,
            (401, "/auth/not-valid" | "/auth/key-not-found" | NO_TYPE) => Some(Self::BadKey),
            (_, "/auth/account-suspended") => Some(Self::SuspendedAccount),
            (404 | 405, "/request/invalid" | NO_TYPE) | (300..=399, _) => Some(Self::WrongAddress),
            _ => None,
        }
    }

    /// The reason for which the crawl is closed, the first two by the peer's words.
    pub fn close_reason(self) -> &'static str {
        match self {
            Self::BadKey => "zyte_api_bad_key",
            Self::SuspendedAccount => "zyte_api_suspended_account",
            Self::WrongAddress => "zyte_api_wrong_url",
        }
    }
}

/// The type of an answer that has no document of problems.
const NO_TYPE: &str = "about:blank";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_answer_tells_of_all_calls_only_where_it_is_about_key_account_or_address() {
        use Hopeless::{BadKey, SuspendedAccount, WrongAddress};
        for (status, kind, ours, peers) in [
            (401, "/auth/not-valid", Some(BadKey), Some(BadKey)),
            (401, "/auth/key-not-found", Some(BadKey), Some(BadKey)),
            (401, NO_TYPE, Some(BadKey), Some(BadKey)),
            (401, "/download/unauthorized", None, Some(BadKey)),
            (403, "/auth/account-suspended", Some(SuspendedAccount), Some(SuspendedAccount)),
            (403, "/auth/not-allowed", None, Some(SuspendedAccount)),
            (403, NO_TYPE, None, Some(SuspendedAccount)),
            (404, "/request/invalid", Some(WrongAddress), None),
            (404, NO_TYPE, Some(WrongAddress), None),
            (404, "/website/no-such-page", None, None),
            (405, "/request/invalid", Some(WrongAddress), None),
            (302, NO_TYPE, Some(WrongAddress), None),
            (308, "/anything", Some(WrongAddress), None),
            (400, "/request/invalid", None, None),
            (422, "/request/unprocessable", None, None),
            (451, "/download/domain-forbidden", None, None),
        ] {
            let problem = Problem { status, kind: kind.to_owned(), ..Problem::default() };
            assert_eq!(Hopeless::of(Profile::Default, &problem), ours, "{status} {kind}");
            assert_eq!(Hopeless::of(Profile::ScrapyZyteApi, &problem), peers, "{status} {kind}, peer");
        }
    }
}
