//! `wasi:cli`: nothing in, the log out, and no way to end the process.

use wasmtime::Result;
use wasmtime::component::{Linker, Resource, ResourceType};

use super::streams::{InputStream, OutputStream, STDERR, STDOUT};
use crate::call::Call;
use crate::stopped::Stop;

/// A terminal; there is never one.
enum TerminalInput {}

/// A terminal; there is never one.
enum TerminalOutput {}

pub(super) fn add_to_linker(linker: &mut Linker<Call>) -> Result<()> {
    add_environment(linker)?;
    add_exit(linker)?;
    add_standard_streams(linker)?;
    add_terminals(linker)
}

fn add_environment(linker: &mut Linker<Call>) -> Result<()> {
    let mut environment = linker.instance("wasi:cli/environment@0.2.0")?;
    environment.func_wrap("get-environment", |_, (): ()| Ok((Vec::<(String, String)>::new(),)))?;
    environment.func_wrap("get-arguments", |_, (): ()| Ok((Vec::<String>::new(),)))?;
    environment.func_wrap("initial-cwd", |_, (): ()| Ok((None::<String>,)))
}

fn add_exit(linker: &mut Linker<Call>) -> Result<()> {
    let mut exit = linker.instance("wasi:cli/exit@0.2.0")?;
    exit.func_wrap("exit", |_, (_status,): (std::result::Result<(), ()>,)| -> Result<()> { Err(Stop::Exit.into()) })?;
    exit.func_wrap("exit-with-code", |_, (_code,): (u8,)| -> Result<()> { Err(Stop::Exit.into()) })
}

fn add_standard_streams(linker: &mut Linker<Call>) -> Result<()> {
    let stdin = |_: wasmtime::StoreContextMut<'_, Call>, (): ()| Ok((Resource::<InputStream>::new_own(0),));
    linker.instance("wasi:cli/stdin@0.2.0")?.func_wrap("get-stdin", stdin)?;
    let stdout = |_: wasmtime::StoreContextMut<'_, Call>, (): ()| Ok((Resource::<OutputStream>::new_own(STDOUT),));
    linker.instance("wasi:cli/stdout@0.2.0")?.func_wrap("get-stdout", stdout)?;
    let stderr = |_: wasmtime::StoreContextMut<'_, Call>, (): ()| Ok((Resource::<OutputStream>::new_own(STDERR),));
    linker.instance("wasi:cli/stderr@0.2.0")?.func_wrap("get-stderr", stderr)
}

fn add_terminals(linker: &mut Linker<Call>) -> Result<()> {
    let mut input = linker.instance("wasi:cli/terminal-input@0.2.0")?;
    input.resource("terminal-input", ResourceType::host::<TerminalInput>(), |_, _| Ok(()))?;
    let mut output = linker.instance("wasi:cli/terminal-output@0.2.0")?;
    output.resource("terminal-output", ResourceType::host::<TerminalOutput>(), |_, _| Ok(()))?;
    let mut stdin = linker.instance("wasi:cli/terminal-stdin@0.2.0")?;
    stdin.func_wrap("get-terminal-stdin", |_, (): ()| Ok((None::<Resource<TerminalInput>>,)))?;
    for name in ["stdout", "stderr"] {
        let mut terminal = linker.instance(&format!("wasi:cli/terminal-{name}@0.2.0"))?;
        terminal.func_wrap(&format!("get-terminal-{name}"), |_, (): ()| Ok((None::<Resource<TerminalOutput>>,)))?;
    }
    Ok(())
}
