//! `wasi:filesystem` and `wasi:sockets`, which what Python and JavaScript are compiled to imports whether a plugin uses them or not: there
//! are no directories to open a file in, and whoever asks for a socket is stopped.

use wasmtime::Result;
use wasmtime::component::types::ComponentItem;
use wasmtime::component::{Component, Linker, Resource, ResourceType};

use crate::call::Call;
use crate::stopped::Stop;

/// The packages that have nothing in them.
const PACKAGES: [&str; 2] = ["wasi:filesystem", "wasi:sockets"];

/// Something that a program could have open; there is never one.
enum Nothing {}

/// Where each of them would come from.
const RESOURCES: [(&str, &str); 8] = [
    ("wasi:filesystem/types", "descriptor"),
    ("wasi:filesystem/types", "directory-entry-stream"),
    ("wasi:sockets/network", "network"),
    ("wasi:sockets/tcp", "tcp-socket"),
    ("wasi:sockets/udp", "udp-socket"),
    ("wasi:sockets/udp", "incoming-datagram-stream"),
    ("wasi:sockets/udp", "outgoing-datagram-stream"),
    ("wasi:sockets/ip-name-lookup", "resolve-address-stream"),
];

/// Where every program looks for files.
const DIRECTORIES: (&str, &str) = ("wasi:filesystem/preopens", "get-directories");

pub(super) fn add_to_linker(linker: &mut Linker<Call>) -> Result<()> {
    for (interface, resource) in RESOURCES {
        linker.instance(&served(interface))?.resource(resource, ResourceType::host::<Nothing>(), |_, _| Ok(()))?;
    }
    let (interface, function) = DIRECTORIES;
    let nowhere = |_: wasmtime::StoreContextMut<'_, Call>, (): ()| Ok((Vec::<(Resource<Nothing>, String)>::new(),));
    linker.instance(&served(interface))?.func_wrap(function, nowhere)
}

fn served(interface: &str) -> String {
    format!("{interface}@0.2.0")
}

/// A linker with all functions of these packages that a component imports; none for a component that needs none.
pub(crate) fn linker_for(component: &Component, linker: &Linker<Call>) -> Result<Option<Linker<Call>>> {
    let (shape, engine) = (component.component_type(), component.engine());
    let mut own = None;
    for (name, import) in shape.imports(engine) {
        let interface = name.split('@').next().unwrap_or(name);
        let ComponentItem::ComponentInstance(instance) = import.ty else { continue };
        if !is_void(interface) {
            continue;
        }
        let linker = own.get_or_insert_with(|| linker.clone());
        let mut stopping = linker.instance(&served(interface))?;
        for (function, export) in instance.exports(engine) {
            if matches!(export.ty, ComponentItem::ComponentFunc(_)) && (interface, function) != DIRECTORIES {
                let asked = format!("{interface}#{function}");
                stopping.func_new(function, move |_, _, _, _| Err(Stop::Void(asked.clone()).into()))?;
            }
        }
    }
    Ok(own)
}

/// Whether an interface, without its version, is of one of these packages.
pub(super) fn is_void(interface: &str) -> bool {
    interface.split_once('/').is_some_and(|(package, _)| PACKAGES.contains(&package))
}
