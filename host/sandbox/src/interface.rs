//! The names in the plugin interface, and which versions of it this host serves.

/// The package of the interface.
pub(crate) const PACKAGE: &str = "carousel:session";

/// The version of the interface that this host serves; plugins built for 0.1.x fit.
pub(crate) const VERSION: &str = "0.1.0";

/// What a plugin exports.
pub(crate) const HOOKS: &str = "carousel:session/hooks@0.1.0";

/// The import with `download`.
pub(crate) const HOST: &str = "carousel:session/host@0.1.0";

/// A name such as `carousel:session/hooks@0.1.0`, taken apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Name<'a> {
    pub(crate) package: &'a str,
    pub(crate) interface: &'a str,
    pub(crate) version: &'a str,
}

impl<'a> Name<'a> {
    /// Reads a name; none where it is not of this form.
    pub(crate) fn read(name: &'a str) -> Option<Self> {
        let (path, version) = name.split_once('@').unwrap_or((name, ""));
        let (package, interface) = path.split_once('/')?;
        Some(Self { package, interface, version })
    }

    /// Whether this host speaks the version of this name: 0.x promises nothing to 0.y.
    pub(crate) fn is_served(&self) -> bool {
        let family = |version: &str| version.rsplit_once('.').map(|(family, _)| family.to_owned());
        self.package == PACKAGE && family(self.version) == family(VERSION)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_taken_apart_and_patch_versions_are_served() {
        let name = Name::read("carousel:session/hooks@0.1.7").unwrap();
        assert_eq!((name.package, name.interface, name.version), (PACKAGE, "hooks", "0.1.7"));
        assert!(name.is_served());
        for other in ["carousel:session/hooks@0.2.0", "wasi:io/streams@0.1.0", "carousel:session/hooks"] {
            assert!(!Name::read(other).unwrap().is_served(), "{other}");
        }
        assert_eq!(Name::read("run"), None);
        for constant in [HOOKS, HOST] {
            assert_eq!(Name::read(constant).unwrap().version, VERSION);
        }
    }
}
