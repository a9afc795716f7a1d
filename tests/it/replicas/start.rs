//! A replica that is started while the database is away waits for it.

use std::{
    io::{BufRead as _, BufReader},
    process::{Child, Stdio},
    sync::mpsc,
    thread,
    time::Duration,
};

use nix::sys::signal::Signal;

use crate::harness::{Server, cluster::Cluster, database::Admin, eventually, port::Port, stores::Stores};

#[test]
fn two_replicas_start_at_once_on_an_empty_database() {
    let stores = Stores::empty_and_shared();
    let servers = [Server::on(stores.clone(), &[]), Server::on(stores, &[])];
    thread::scope(|scope| {
        servers.map(|mut server| scope.spawn(move || server.run())).map(|run| run.join().expect("a start"))
    });
}

struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_replica_started_without_a_database_waits_for_it() {
    let mut cluster = Cluster::start(&[]);
    Admin::at(&cluster.url()).execute("CREATE DATABASE sluice");
    cluster.signal(Signal::SIGINT);
    cluster.wait();
    let port = Port::reserve();
    let address = port.address();
    let url = cluster.url().replace("/postgres?", "/sluice?");
    let server =
        Server::prepare(&[("database.url", &url), ("server.bind", &address.to_string()), ("log.filter", "info")]);
    let mut command = server.command(&["serve"]);
    let mut child = Killed(command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("a server"));
    let (sender, lines) = mpsc::channel();
    let log = BufReader::new(child.0.stderr.take().expect("its log"));
    thread::spawn(move || log.lines().map_while(Result::ok).try_for_each(|line| sender.send(line)));
    let said = lines.recv_timeout(Duration::from_secs(20)).expect("a line");
    assert!(said.contains("waiting for the database") && said.contains("sluice"), "{said}");

    let get = |path: &str| {
        let response = reqwest::blocking::get(format!("http://{address}{path}")).ok()?;
        Some((response.status().as_u16(), response.text().ok()?))
    };
    let lives = eventually(10, "an answer", || get("/livez"));
    assert_eq!(lives.0, 200, "{lives:?}");
    let (status, text) = get("/readyz").expect("an answer");
    assert!(status == 503 && text.contains("starting"), "{status} {text}");
    let (status, text) = get("/api/v1/check?product=office-maker").expect("an answer");
    assert!(status == 503 && text.contains("storage_unavailable"), "{status} {text}");

    cluster.run();
    eventually(15, "the server to come up", || get("/readyz").filter(|(status, _)| *status == 200));
}
