//! What is in memory stays there.

use std::{
    os::unix::process::{CommandExt as _, ExitStatusExt as _},
    process::{Command, ExitStatus, Stdio},
    thread,
    time::Duration,
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

/// How a program ends that is aborted when it has run for a while, with core dumps as large as the system lets them be.
fn aborted(program: &str) -> ExitStatus {
    let folder = tempfile::tempdir().expect("a folder");
    let mut command = Command::new("sh");
    command.args(["-c", &format!("ulimit -c unlimited; exec {program}")]).current_dir(folder.path());
    command.env("SLUICE__SERVER__BIND", "127.0.0.1:0").stdout(Stdio::null()).process_group(0);
    let mut process = command.spawn().expect("a process");
    thread::sleep(Duration::from_secs(1));
    kill(Pid::from_raw(process.id().try_into().expect("a process id")), Signal::SIGABRT).expect("a signal");
    process.wait().expect("an end")
}

#[test]
fn a_server_that_crashes_leaves_no_core_dump() {
    let server = aborted(&format!("{} serve", env!("CARGO_BIN_EXE_sluice")));
    assert_eq!(server.signal(), Some(Signal::SIGABRT as i32));
    assert!(!server.core_dumped());
    if !aborted("sleep 60").core_dumped() {
        eprintln!("this machine makes no core dumps, so that this has shown nothing");
    }
}
