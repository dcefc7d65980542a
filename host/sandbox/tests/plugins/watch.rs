//! The directory is watched: what changes in it counts by itself.

use std::time::Duration;

use carousel_engine::{Site, Sites};

use crate::stage::Directory;
use crate::swaps::good;

#[test]
fn a_file_that_is_dropped_into_the_directory_serves_and_one_that_is_taken_out_does_not() {
    let directory = Directory::new();
    let loaded = directory.load(&[]);
    let (sites, watch) = (loaded.sites, loaded.reloader.watch().unwrap());
    // The system tells of changes in its own time; whether it ever does is what is asked here.
    let wait_until = |is_served: bool| {
        while sites.site("https://good.example/").is_some_and(|site| site.name() == "guest-good") != is_served {
            std::thread::park_timeout(Duration::from_millis(5));
        }
    };
    wait_until(false);
    directory.write("good.tmp", good(1));
    std::fs::rename(directory.0.join("good.tmp"), directory.0.join("good.wasm")).unwrap();
    wait_until(true);
    std::fs::remove_file(directory.0.join("good.wasm")).unwrap();
    wait_until(false);
    drop(watch);
}
