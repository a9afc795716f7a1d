//! What is in memory stays there.

use std::{
    io::{BufRead as _, BufReader},
    os::unix::process::{CommandExt as _, ExitStatusExt as _},
    process::{Command, ExitStatus, Stdio},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

/// How a program ends that is aborted once it has printed a line, with core dumps as large as the system lets them be.
fn aborted(program: &str) -> ExitStatus {
    let folder = tempfile::tempdir().expect("a folder");
    let mut command = Command::new("sh");
    command.args(["-c", &format!("ulimit -c unlimited; exec {program}")]).current_dir(folder.path());
    command.env("SLUICE__SERVER__BIND", "127.0.0.1:0").stdout(Stdio::piped()).process_group(0);
    let mut process = command.spawn().expect("a process");
    let mut line = String::new();
    BufReader::new(process.stdout.take().expect("its output")).read_line(&mut line).expect("a line");
    assert!(!line.is_empty(), "it ended by itself");
    kill(Pid::from_raw(process.id().try_into().expect("a process id")), Signal::SIGABRT).expect("a signal");
    process.wait().expect("an end")
}

#[test]
fn a_server_that_crashes_leaves_no_core_dump() {
    let server = aborted(&format!("{} serve", env!("CARGO_BIN_EXE_sluice")));
    assert_eq!(server.signal(), Some(Signal::SIGABRT as i32));
    assert!(!server.core_dumped());
    if !aborted("sh -c 'echo running; exec sleep 60'").core_dumped() {
        eprintln!("this machine makes no core dumps, so that this has shown nothing");
    }
}
