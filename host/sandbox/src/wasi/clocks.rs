//! `wasi:clocks`: what time it is, and points in time to wait for.

use std::sync::LazyLock;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use wasmtime::component::{ComponentType, Lift, Linker, Lower, Resource};
use wasmtime::{Result, StoreContextMut};

use super::Pollable;
use super::poll::{PollableHandle, open};
use crate::call::Call;
use crate::stopped::Stop;

/// Where the monotonic clock begins.
static START: LazyLock<Instant> = LazyLock::new(Instant::now);

/// The longest wait that is counted; whoever waits longer waits in vain.
const LONGEST: Duration = Duration::from_secs(100 * 365 * 24 * 3600);

/// `datetime` of the interface.
#[derive(ComponentType, Lift, Lower)]
#[component(record)]
struct Datetime {
    seconds: u64,
    nanoseconds: u32,
}

pub(super) fn add_to_linker(linker: &mut Linker<Call>) -> Result<()> {
    let mut monotonic = linker.instance("wasi:clocks/monotonic-clock@0.2.0")?;
    monotonic.func_wrap("now", |_, (): ()| Ok((now(),)))?;
    monotonic.func_wrap("resolution", |_, (): ()| Ok((1_u64,)))?;
    monotonic.func_wrap("subscribe-instant", |store, (when,): (u64,)| Ok((after(store, when.saturating_sub(now()))?,)))?;
    monotonic.func_wrap("subscribe-duration", |store, (time,): (u64,)| Ok((after(store, time)?,)))?;
    let mut wall = linker.instance("wasi:clocks/wall-clock@0.2.0")?;
    wall.func_wrap("now", |_, (): ()| Ok((wall_time(),)))?;
    wall.func_wrap("resolution", |_, (): ()| Ok((Datetime { seconds: 0, nanoseconds: 1 },)))
}

/// Nanoseconds since the clock began.
fn now() -> u64 {
    u64::try_from(START.elapsed().as_nanos()).unwrap_or(u64::MAX)
}

fn wall_time() -> Datetime {
    let time = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Datetime { seconds: time.as_secs(), nanoseconds: time.subsec_nanos() }
}

fn after(mut store: StoreContextMut<'_, Call>, nanoseconds: u64) -> Result<Resource<PollableHandle>, Stop> {
    let time = Duration::from_nanos(nanoseconds).min(LONGEST);
    open(store.data_mut(), Pollable::At(Instant::now() + time))
}
