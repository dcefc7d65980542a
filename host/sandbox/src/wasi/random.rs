//! `wasi:random`: all of it is drawn from the operating system, also what a guest would take less good.

use wasmtime::component::Linker;
use wasmtime::{Result, StoreContextMut};

use crate::call::Call;
use crate::stopped::Stop;

/// The random bytes that a guest may take at once.
const BYTES: u64 = 1 << 16;

pub(super) fn add_to_linker(linker: &mut Linker<Call>) -> Result<()> {
    for (interface, prefix) in [("random", "get-random"), ("insecure", "get-insecure-random")] {
        let mut random = linker.instance(&format!("wasi:random/{interface}@0.2.0"))?;
        let bytes = |_: StoreContextMut<'_, Call>, (count,): (u64,)| Ok((bytes(count)?,));
        random.func_wrap(&format!("{prefix}-bytes"), bytes)?;
        random.func_wrap(&format!("{prefix}-u64"), |_: StoreContextMut<'_, Call>, (): ()| Ok((number()?,)))?;
    }
    let mut seed = linker.instance("wasi:random/insecure-seed@0.2.0")?;
    seed.func_wrap("insecure-seed", |_, (): ()| Ok(((number()?, number()?),)))
}

fn bytes(count: u64) -> Result<Vec<u8>> {
    if count > BYTES {
        return Err(Stop::TooMany("random bytes at once").into());
    }
    let mut bytes = vec![0; usize::try_from(count)?];
    getrandom::fill(&mut bytes)?;
    Ok(bytes)
}

fn number() -> Result<u64> {
    Ok(getrandom::u64()?)
}
