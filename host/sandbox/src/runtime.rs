//! The engines that plugins share: how code is compiled, where instances live, what is linked to their imports.

use wasmtime::component::{HasSelf, Linker};
use wasmtime::{
    Config, Engine, InstanceAllocationStrategy, OptLevel, PoolingAllocationConfig, RegallocAlgorithm, Result, Strategy,
    WasmBacktraceDetails,
};

use crate::bindings::Site;
use crate::cache::Key;
use crate::call::Call;
use crate::limits::TABLE_ELEMENTS;
use crate::wasi::Sleep;
use crate::{download, ticker, wasi};

/// The stack of a guest. Plugins need kilobytes; recursion without end stops here.
const WASM_STACK_BYTES: usize = 512 << 10;

/// The stack on which a guest runs that may block, host functions and their parsers included.
const ASYNC_STACK_BYTES: usize = 2 << 20;

/// What is kept of a memory when its place is given back, and cleared by hand. Above this the system is asked for fresh pages,
/// which costs several times more and makes two threads slower than one; so it should cover the whole memory of a small plugin.
const MEMORY_KEPT_BYTES: usize = 256 << 10;

/// The same for tables.
const TABLE_KEPT_BYTES: usize = 64 << 10;

/// Instances of baseline code whose places stay ready for the same plugin. Such code does not live long, and what is kept for it is
/// of no use to anybody later.
const BASELINE_PLACES_KEPT: u32 = 8;

/// Address space per memory where there is not enough for the usual 4 GiB, which spare bounds checks.
const SMALL_RESERVATION_BYTES: u64 = 64 << 20;

/// Core modules, and instances of the host's glue, that one plugin may consist of.
const CORE_INSTANCES: u32 = 64;

/// Tables that one plugin may have.
const TABLES: u32 = 4;

/// How code is made. Code of one tier does not run in the engine of another, because they call functions differently.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tier {
    /// Code that runs a third slower but is made four times faster, for plugins that are new.
    Baseline,
    /// The best code.
    Optimised,
}

/// The engine and the linkers.
pub(crate) struct Runtime {
    pub(crate) engine: Engine,
    config: Config,
    /// For hooks that hold their thread.
    pub(crate) sync: Linker<Call>,
    /// For hooks that download.
    pub(crate) blocking: Linker<Call>,
}

/// How many instances there may be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Room {
    /// Instances at once, of all kinds.
    pub(crate) instances: u32,
    /// Of these, the ones that may download and need a stack.
    pub(crate) stacks: u32,
    /// Bytes of memory of one instance.
    pub(crate) memory: usize,
}

impl Runtime {
    /// Makes the engine and starts its ticker. Where the address space is limited, the instances take less of it.
    pub(crate) fn new(room: Room, tier: Tier) -> Result<Self> {
        let (engine, config) = engine(room, tier)?;
        ticker::start(&engine)?;
        let mut sync = Linker::new(&engine);
        link(&mut sync, Sleep::Thread)?;
        let mut blocking = Linker::new(&engine);
        blocking.allow_shadowing(true);
        link(&mut blocking, Sleep::Guest)?;
        download::add_to_linker(&mut blocking)?;
        Ok(Self { engine, config, sync, blocking })
    }

    /// An engine that makes code for this one, on one thread, and runs nothing. Where that cannot be had it is this one.
    pub(crate) fn compiler(&self) -> Engine {
        let mut config = self.config.clone();
        config.allocation_strategy(InstanceAllocationStrategy::OnDemand).parallel_compilation(false);
        let fits = |compiler: &Engine| Key::engine(compiler) == Key::engine(&self.engine);
        Engine::new(&config).ok().filter(fits).unwrap_or_else(|| self.engine.clone())
    }
}

fn link(linker: &mut Linker<Call>, sleep: Sleep) -> Result<()> {
    Site::add_to_linker::<_, HasSelf<Call>>(linker, |call| call)?;
    wasi::add_to_linker(linker, sleep)
}

fn engine(room: Room, tier: Tier) -> Result<(Engine, Config)> {
    let mut generous = config(tier);
    let first = match Engine::new(generous.allocation_strategy(pooling(room, tier))) {
        Ok(engine) => return Ok((engine, generous)),
        Err(error) => error,
    };
    tracing::debug!("{first:#}: trying with less address space for each plugin instance");
    let reservation = SMALL_RESERVATION_BYTES.max(u64::try_from(room.memory).unwrap_or(u64::MAX).next_multiple_of(1 << 16));
    let mut modest = config(tier);
    modest.memory_reservation(reservation).memory_guard_size(1 << 16).allocation_strategy(pooling(room, tier));
    let second = match Engine::new(&modest) {
        Ok(engine) => return Ok((engine, modest)),
        Err(error) => error,
    };
    tracing::warn!("{second:#}: plugin instances are made on demand, which is slower; allow more address space (ulimit -v)");
    let plain = config(tier);
    Ok((Engine::new(&plain)?, plain))
}

fn config(tier: Tier) -> Config {
    let mut config = Config::new();
    config
        .strategy(match tier {
            Tier::Baseline => Strategy::Winch,
            Tier::Optimised => Strategy::Cranelift,
        })
        .concurrency_support(false)
        .epoch_interruption(true)
        .max_wasm_stack(WASM_STACK_BYTES)
        .async_stack_size(ASYNC_STACK_BYTES)
        .memory_init_cow(true)
        .wasm_backtrace_details(WasmBacktraceDetails::Enable)
        // Backtraces follow frame pointers; only Windows cannot do without.
        .native_unwind_info(cfg!(windows));
    if tier == Tier::Baseline {
        // The baseline compiler leaves the glue between guest and host to the optimising one, which would spend as much time on it
        // as all the rest takes.
        config.cranelift_opt_level(OptLevel::None).cranelift_regalloc_algorithm(RegallocAlgorithm::SinglePass);
    }
    config
}

fn pooling(room: Room, tier: Tier) -> InstanceAllocationStrategy {
    let mut pooling = PoolingAllocationConfig::new();
    pooling
        .total_component_instances(room.instances)
        .total_core_instances(room.instances.saturating_mul(CORE_INSTANCES))
        .max_core_instances_per_component(CORE_INSTANCES)
        .total_memories(room.instances)
        .max_memories_per_component(1)
        .total_tables(room.instances.saturating_mul(TABLES))
        .max_tables_per_component(TABLES)
        .table_elements(TABLE_ELEMENTS)
        .total_stacks(room.stacks)
        .max_memory_size(room.memory.next_multiple_of(1 << 16))
        .linear_memory_keep_resident(MEMORY_KEPT_BYTES)
        .table_keep_resident(TABLE_KEPT_BYTES)
        .max_unused_warm_slots(match tier {
            Tier::Baseline => BASELINE_PLACES_KEPT,
            Tier::Optimised => room.instances,
        });
    InstanceAllocationStrategy::Pooling(pooling)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_compiler_makes_code_for_its_engine_and_for_no_other_tier() {
        let room = Room { instances: 2, stacks: 1, memory: 1 << 20 };
        let [baseline, optimised] = [Tier::Baseline, Tier::Optimised].map(|tier| Runtime::new(room, tier).unwrap());
        assert_eq!(Key::engine(&optimised.compiler()), Key::engine(&optimised.engine));
        assert!(!Engine::same(&optimised.compiler(), &optimised.engine));
        assert_ne!(Key::engine(&baseline.engine), Key::engine(&optimised.engine));
    }
}
