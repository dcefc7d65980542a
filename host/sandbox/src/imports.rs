//! What a component wants from its host, read from the file without compiling it.

use wasmparser::{Parser, Payload};

use crate::inspect::is_given;
use crate::interface::{Name, PACKAGE};

/// What a component imports or exports by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Port {
    /// The name, such as `wasi:io/streams@0.2.3`.
    pub name: String,
    /// What the host makes of it.
    pub standing: Standing,
}

/// What the host makes of an import or export.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// A part of the plugin interface, in a version that is served.
    Served,
    /// A part of the plugin interface, in a version that is not served.
    OtherVersion,
    /// A part of WASI that plugins may import; there is nothing behind it but a clock, random numbers and the log.
    Allowed,
    /// Something that plugins are not given.
    Denied,
    /// An export that the host has no use for.
    Unused,
}

/// The names at the door of a component.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ports {
    /// What it imports, in the order of the file.
    pub imports: Vec<Port>,
    /// What it exports.
    pub exports: Vec<Port>,
}

impl Ports {
    /// Reads the names of a component; of a file that breaks off, those that stand before. The names inside of it are its own
    /// affair.
    #[expect(clippy::wildcard_enum_match_arm, reason = "the parts of a file are many, and the parser may learn more of them")]
    pub fn read(wasm: &[u8]) -> Self {
        let mut ports = Self::default();
        let mut depth = 0_u32;
        for payload in Parser::new(0).parse_all(wasm).map_while(Result::ok) {
            match payload {
                Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
                Payload::End(_) => depth = depth.saturating_sub(1),
                Payload::ComponentImportSection(section) if depth == 0 => {
                    let names = section.into_iter().map_while(Result::ok).map(|import| import.name.name.to_owned());
                    ports.imports.extend(names.map(|name| Port { standing: of_import(&name), name }));
                }
                Payload::ComponentExportSection(section) if depth == 0 => {
                    let names = section.into_iter().map_while(Result::ok).map(|export| export.name.name.to_owned());
                    ports.exports.extend(names.map(|name| Port { standing: of_export(&name), name }));
                }
                _ => {}
            }
        }
        ports
    }

    /// The versions of the plugin interface that the component was built for; one, unless it was put together of several.
    pub fn versions(&self) -> Vec<&str> {
        let names = self.exports.iter().chain(&self.imports).filter_map(|port| Name::read(&port.name));
        let mut versions: Vec<&str> = names.filter(|name| name.package == PACKAGE).map(|name| name.version).collect();
        versions.sort_unstable();
        versions.dedup();
        versions
    }
}

fn of_import(name: &str) -> Standing {
    match Name::read(name) {
        Some(read) if read.package == PACKAGE && !read.is_served() => Standing::OtherVersion,
        Some(read) if read.package == PACKAGE && is_given(name) => Standing::Served,
        _ if is_given(name) => Standing::Allowed,
        _ => Standing::Denied,
    }
}

fn of_export(name: &str) -> Standing {
    match Name::read(name) {
        Some(read) if read.package == PACKAGE && read.is_served() => Standing::Served,
        Some(read) if read.package == PACKAGE => Standing::OtherVersion,
        _ => Standing::Unused,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_standing_of_a_name_is_what_loading_makes_of_it() {
        for (name, standing) in [
            ("carousel:session/host@0.1.0", Standing::Served),
            ("carousel:session/host@0.2.0", Standing::OtherVersion),
            ("carousel:session/secrets@0.1.0", Standing::Denied),
            ("wasi:io/streams@0.2.3", Standing::Allowed),
            ("wasi:http/outgoing-handler@0.2.0", Standing::Denied),
            ("wasi:filesystem/types@0.2.9", Standing::Allowed),
            ("wasi:sockets/tcp@0.3.0", Standing::Denied),
            ("wasi:io/streams@0.3.0", Standing::Denied),
            ("anything", Standing::Denied),
        ] {
            assert_eq!(of_import(name), standing, "{name}");
        }
        assert_eq!(of_export("carousel:session/hooks@0.1.0"), Standing::Served);
        assert_eq!(of_export("wasi:cli/run@0.2.0"), Standing::Unused);
    }

    #[test]
    fn a_file_that_is_no_component_has_no_ports() {
        for bytes in [&b""[..], b"text", b"\0asm\x01\0\0\0", b"\0asm\x0d\0\x01\0\x07\xff"] {
            assert_eq!(Ports::read(bytes), Ports::default());
        }
    }
}
