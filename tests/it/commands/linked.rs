//! What the program needs of the machine it runs on.

use std::process::Command;

#[test]
fn the_program_needs_no_library_but_those_of_libc() {
    let listed = Command::new("ldd").arg(env!("CARGO_BIN_EXE_sluice")).output().unwrap();
    assert!(listed.status.success(), "{listed:?}");
    let text = String::from_utf8(listed.stdout).unwrap();
    // `libgcc_s` unwinds panics. It comes with libc: on Debian, libc6 depends on it.
    let known = ["linux-vdso.so.1", "libc.so.6", "libm.so.6", "libgcc_s.so.1", "/lib/ld-linux", "/lib64/ld-linux"];
    let libraries: Vec<&str> = text.lines().filter_map(|line| line.split_whitespace().next()).collect();
    let others: Vec<&str> =
        libraries.iter().copied().filter(|name| !known.iter().any(|it| name.starts_with(it))).collect();
    assert!(libraries.contains(&"libc.so.6") && others.is_empty(), "needs {others:?} of {libraries:?}");
}
