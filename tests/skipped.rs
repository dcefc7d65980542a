//! What a test does that cannot run here: offline it says so and passes, where nothing may be skipped it fails.

/// Set where the comparisons with real clients and libraries must run, as on the main branch.
pub(crate) const REQUIRED: &str = "CAROUSEL_REQUIRE_COMPARISONS";

/// Ends a test that cannot run, for this reason.
pub(crate) fn skipped(why: impl std::fmt::Display) {
    match told(std::env::var_os(REQUIRED).is_some_and(|value| !value.is_empty()), why) {
        Ok(line) => println!("{line}"),
        Err(failure) => panic!("{failure}"),
    }
}

/// The line of a test that is skipped, or what it fails with where it may not be.
pub(crate) fn told(is_required: bool, why: impl std::fmt::Display) -> Result<String, String> {
    match is_required {
        true => Err(format!("nothing may be skipped where {REQUIRED} is set: {why}")),
        false => Ok(format!("SKIPPED: {why}")),
    }
}
