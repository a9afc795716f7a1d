//! The program `sluice`. All of its code is in the library.

use std::process::ExitCode;

/// The memory allocator. It makes a check 10–20 % faster than the system's allocator, and returns memory to the system.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    sluice::cli::run()
}
