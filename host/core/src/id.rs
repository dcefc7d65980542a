//! Names for the things that decisions are about.

use std::fmt;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::Arc;

/// A pool of sessions: a name that people see, and whose sessions they are.
///
/// Two pools that belong to different owners are never the same, whatever their names.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PoolId(Arc<Pool>);

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Pool {
    /// The chosen name, and behind it what tells the pool from others of that name.
    name: Box<str>,
    /// Bytes of the chosen name.
    chosen_bytes: usize,
    owner: PoolOwner,
}

/// Whose sessions a pool has.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PoolOwner {
    /// All requests that name the pool share them.
    Named,
    /// They were made by the defaults, for requests that no site serves.
    Defaults,
    /// They were made for requests of this site.
    Site(SiteId),
}

impl PoolId {
    /// A pool that belongs to all who name it.
    pub fn new(name: impl Into<Box<str>>) -> Self {
        let name = name.into();
        Self(Arc::new(Pool { chosen_bytes: name.len(), name, owner: PoolOwner::Named }))
    }

    /// A pool of this owner. The qualifiers tell it from the owner's other pools of the same chosen name; they are shown behind it,
    /// each after a semicolon.
    pub fn owned(chosen: &str, qualifiers: &[String], owner: PoolOwner) -> Self {
        let escaped = |text: &str| text.replace('%', "%25").replace(';', "%3B");
        let name = qualifiers.iter().fold(chosen.to_owned(), |name, qualifier| name + ";" + &escaped(qualifier));
        Self(Arc::new(Pool { name: name.into(), chosen_bytes: chosen.len(), owner }))
    }

    /// The name as people see it.
    pub fn as_str(&self) -> &str {
        &self.0.name
    }

    /// The names by which settings may speak of the pool, the most particular first: the whole one, then with one qualifier less each
    /// time, down to the chosen one.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let Pool { name, chosen_bytes, .. } = &*self.0;
        let chosen = name.get(..*chosen_bytes);
        std::iter::successors(Some(self.as_str()), move |longer| {
            let qualifiers = longer.get(*chosen_bytes..).filter(|qualifiers| !qualifiers.is_empty())?;
            let shorter = qualifiers.rfind(';').and_then(|at| longer.get(..chosen_bytes + at));
            shorter.or(chosen)
        })
    }
}

impl fmt::Display for PoolId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A site as the owner of sessions: they are good for it while it has this name and this config. Of the config it has a digest that
/// only this build of the program can compare.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SiteId {
    name: Arc<str>,
    config: u64,
}

impl SiteId {
    /// A site by its name and the text of its config, empty for none.
    pub fn new(name: impl Into<Arc<str>>, config: &str) -> Self {
        let mut digest = DefaultHasher::new();
        config.hash(&mut digest);
        Self { name: name.into(), config: digest.finish() }
    }

    /// The site's name.
    pub fn name(&self) -> &str {
        &self.name
    }
}

/// A session: a version 4 UUID, never used twice.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionId(u128);

impl SessionId {
    /// Makes an id of 128 random bits; version and variant are set as RFC 9562 asks.
    pub fn from_random(bits: u128) -> Self {
        const VERSION: u128 = 0xf << 76;
        const VARIANT: u128 = 0b11 << 62;
        Self(bits & !VERSION & !VARIANT | 0x4 << 76 | 0b10 << 62)
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let n = self.0;
        let part = |shift: u32, bits: u32| (n >> shift) & ((1 << bits) - 1);
        write!(f, "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}", part(96, 32), part(80, 16), part(64, 16), part(48, 16), part(0, 48))
    }
}

impl fmt::Debug for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// One try of one request to get a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(u64);

impl Ticket {
    /// The n-th ticket of this process.
    pub fn new(n: u64) -> Self {
        Self(n)
    }
}

impl fmt::Display for Ticket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::{PoolId, PoolOwner, SessionId, SiteId};

    fn owned(chosen: &str, qualifiers: &[&str], owner: PoolOwner) -> PoolId {
        let qualifiers: Vec<String> = qualifiers.iter().map(|&text| text.to_owned()).collect();
        PoolId::owned(chosen, &qualifiers, owner)
    }

    #[test]
    fn pools_of_different_owners_differ_whatever_their_names() {
        let site = |name, config| PoolOwner::Site(SiteId::new(name, config));
        let owners = [PoolOwner::Named, PoolOwner::Defaults, site("a", ""), site("b", ""), site("a", "1"), site("a", "2")];
        let mut pools: Vec<PoolId> = owners.into_iter().map(|owner| owned("s.example", &[], owner)).collect();
        pools.push(owned("s.example", &["cookies"], PoolOwner::Named));
        pools.push(PoolId::new("s.example;cookies"));
        let all = pools.len();
        pools.sort();
        pools.dedup();
        assert_eq!(pools.len(), all, "{pools:?}");
        assert_eq!(owned("p", &[], PoolOwner::Named), PoolId::new("p"));
        assert_eq!(owned("p", &[], site("a", "1")), owned("p", &[], site("a", "1")));
    }

    #[test]
    fn settings_may_name_a_pool_with_its_qualifiers_or_with_some_of_them() {
        for (pool, names) in [
            (owned("a", &["site=b", "cookies"], PoolOwner::Defaults), vec!["a;site=b;cookies", "a;site=b", "a"]),
            (owned("a;b", &["c"], PoolOwner::Named), vec!["a;b;c", "a;b"]),
            (PoolId::new("a;b"), vec!["a;b"]),
            (owned("a", &["site=b;c%"], PoolOwner::Named), vec!["a;site=b%3Bc%25", "a"]),
            (PoolId::new(""), vec![""]),
            (owned("", &["c"], PoolOwner::Named), vec![";c", ""]),
        ] {
            assert_eq!(pool.names().collect::<Vec<_>>(), names);
            assert_eq!(pool.to_string(), names[0]);
        }
    }

    #[test]
    fn a_session_id_is_a_version_4_uuid_whatever_the_bits() {
        assert_eq!(SessionId::from_random(0).to_string(), "00000000-0000-4000-8000-000000000000");
        assert_eq!(SessionId::from_random(u128::MAX).to_string(), "ffffffff-ffff-4fff-bfff-ffffffffffff");
        assert_eq!(
            SessionId::from_random(0x0123_4567_89ab_cdef_0123_4567_89ab_cdef).to_string(),
            "01234567-89ab-4def-8123-456789abcdef"
        );
    }
}
