//! How cargo builds a plugin.

/// What makes a component small and its calls cheap: less code, and a stack that lets its memory fit in a few pages. The names of
/// functions stay: when a plugin is stopped, the log says where. The plugin's own project may stay free of all this.
pub(crate) const ENVIRONMENT: &[(&str, &str)] = &[
    ("CARGO_PROFILE_RELEASE_OPT_LEVEL", "s"),
    ("CARGO_PROFILE_RELEASE_LTO", "fat"),
    ("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "1"),
    ("CARGO_PROFILE_RELEASE_PANIC", "abort"),
    ("CARGO_PROFILE_RELEASE_STRIP", "debuginfo"),
    ("CARGO_PROFILE_RELEASE_DEBUG", "false"),
    ("CARGO_TARGET_WASM32_WASIP2_RUSTFLAGS", "-C link-arg=-zstack-size=65536"),
];
