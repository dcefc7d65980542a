//! Looks at a file before and after it is compiled, to say in words why it is no plugin.

use wasmtime::Engine;
use wasmtime::component::Component;

use crate::errors::Problem;
use crate::interface::{Name, PACKAGE};
use crate::wasi;

/// How a WebAssembly file begins.
const MAGIC: &[u8] = b"\0asm";

/// What follows in a core module.
const CORE_MODULE: &[u8] = &[1, 0, 0, 0];

/// Checks the first bytes of a file.
pub(crate) fn check_bytes(bytes: &[u8]) -> Result<(), Problem> {
    match bytes.strip_prefix(MAGIC) {
        Some(rest) if rest.starts_with(CORE_MODULE) => Err(Problem::CoreModule),
        Some(_) => Ok(()),
        None if bytes.is_empty() => Err(Problem::Damaged("it is empty".to_owned())),
        None => {
            let begin = bytes.get(..bytes.len().min(16)).unwrap_or_default();
            Err(Problem::NotWasm(String::from_utf8_lossy(begin).into_owned()))
        }
    }
}

/// Checks the names that a component imports and exports.
pub(crate) fn check_interface(engine: &Engine, component: &Component) -> Result<(), Problem> {
    let shape = component.component_type();
    let exports: Vec<&str> = shape.exports(engine).map(|(name, _)| name).collect();
    let imports: Vec<&str> = shape.imports(engine).map(|(name, _)| name).collect();
    check_versions(exports.iter().chain(&imports))?;
    if !exports.iter().filter_map(|name| Name::read(name)).any(|name| name.is_served() && name.interface == "hooks") {
        return Err(Problem::NoHooks);
    }
    let forbidden: Vec<String> = imports.into_iter().filter(|name| !is_given(name)).map(str::to_owned).collect();
    if forbidden.is_empty() { Ok(()) } else { Err(Problem::Forbidden(forbidden)) }
}

fn check_versions<'a>(names: impl Iterator<Item = &'a &'a str>) -> Result<(), Problem> {
    let ours = names.filter_map(|name| Name::read(name)).filter(|name| name.package == PACKAGE);
    match ours.into_iter().find(|name| !name.is_served()) {
        Some(Name { interface, version, .. }) => {
            Err(Problem::OtherVersion { interface: interface.to_owned(), version: version.to_owned() })
        }
        None => Ok(()),
    }
}

/// Whether plugins are given an import of this name.
pub(crate) fn is_given(import: &str) -> bool {
    let Some(name) = Name::read(import) else { return false };
    if name.package == PACKAGE {
        return matches!(name.interface, "types" | "host" | "shared" | "defaults");
    }
    let path = import.split_once('@').map_or(import, |(path, _)| path);
    wasi::is_given(path) && name.version.starts_with("0.2.")
}
