//! The program. Everything is in the library.

use std::process::ExitCode;

/// Faster than the system's for many small answers (10–20 % of a check), and it gives memory back.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    sluice::cli::run()
}
