//! One thread that advances the epoch of the engine once a millisecond, as long as the engine lives.

use std::io;
use std::thread;
use std::time::{Duration, Instant};

use wasmtime::Engine;

const TICK: Duration = Duration::from_millis(1);

/// Starts the thread. It keeps no engine alive and ends with the last user of the engine. A sleep takes longer than it should, the more
/// so the busier the machine is; the epochs that are missing then are made up for, so that deadlines do not grow by as much.
pub(crate) fn start(engine: &Engine) -> io::Result<()> {
    let engine = engine.weak();
    let tick = move || {
        let mut last = Instant::now();
        while let Some(engine) = engine.upgrade() {
            while last.elapsed() >= TICK {
                engine.increment_epoch();
                last += TICK;
            }
            drop(engine);
            thread::sleep(TICK);
        }
    };
    thread::Builder::new().name("plugin-ticker".to_owned()).spawn(tick).map(drop)
}
