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
    use sha2::{Digest, Sha256};

    /// The files of `wit/` that were released. What is built against them is out of our hands, so they never change: what is new
    /// gets a folder of its own, and a line here.
    const RELEASED: [(&str, &str); 1] =
        [("0.1.0/session.wit", "53b5a5e2c027a6ac2e14b2e3f2ae985a99c1cffc49df8f0f9c4e1feec226c661")];

    #[test]
    fn a_released_version_of_the_interface_never_changes() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../wit");
        for (file, digest) in RELEASED {
            let text = std::fs::read_to_string(folder.join(file)).unwrap();
            let found: String = Sha256::digest(&text).iter().map(|byte| format!("{byte:02x}")).collect();
            assert_eq!(found, digest, "wit/{file} was released and must stay as it was");
            let (version, _) = file.split_once('/').unwrap();
            assert!(text.contains(&format!("package {PACKAGE}@{version};")), "wit/{file} is not of the version {version}");
        }
    }

    #[test]
    fn every_version_in_the_folder_is_released_and_the_served_one_is_there() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../wit");
        let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        for version in entries {
            assert!(
                RELEASED.iter().any(|(file, _)| file.starts_with(&format!("{version}/"))),
                "wit/{version} is not in RELEASED"
            );
        }
        assert!(RELEASED.iter().any(|(file, _)| file.starts_with(&format!("{VERSION}/"))));
    }

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
