//! What there is of the machine.

use sysinfo::{MemoryRefreshKind, System};

/// Bytes of memory that this process may have at most: the machine's, or those of the container. None: the system does not say.
pub(crate) fn memory() -> Option<u64> {
    let mut system = System::new().ok()?;
    system.refresh_memory_specifics(MemoryRefreshKind::nothing().with_ram());
    let limits = [Some(system.total_memory()), system.cgroup_limits().map(|limits| limits.total_memory)];
    limits.into_iter().flatten().filter(|bytes| *bytes > 0).min()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_machine_says_how_much_memory_it_has() {
        let megabytes = memory().unwrap() >> 20;
        assert!((16..1 << 30).contains(&megabytes), "{megabytes} MiB");
    }
}
