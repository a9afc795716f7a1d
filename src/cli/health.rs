//! `sluice health`: asks a server for its health, where no other client is available: in a container's health check, or
//! a script that upgrades one replica after another.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    path::Path,
    time::Duration,
};

use clap::Args;
use serde::Deserialize;
use url::Url;

use super::{
    client::{error::ApiError, read_server},
    failure::Failure,
    machine::say,
};
use crate::config::Config;

/// The longest wait for an answer. A healthy server answers within milliseconds. It is shorter than the usual timeout
/// of a container's health check, so that the command can still print the reason.
const PATIENCE: Duration = Duration::from_secs(4);

/// Ask a server whether it is healthy.
///
/// Prints the status, and ends with 0 if the server is healthy and with 1 if it is not or does not answer. It asks
/// exactly the server at that address: no proxy is used.
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:
  sluice health                                       does the server of this configuration live?
  sluice health --ready                               can it answer programs?
  sluice health --url https://updates.example.com     and the one out there?")]
pub struct HealthArgs {
    /// The server's address [default: server.bind on this machine]
    #[arg(long, value_name = "URL", value_parser = read_server)]
    url: Option<Url>,
    /// Ask whether the server can do its work (/readyz), not only whether it is alive (/livez). A supervisor that
    /// restarts the process must not use this: a new process does not bring back a database that is away
    #[arg(long)]
    ready: bool,
}

/// A server's answer.
#[derive(Deserialize)]
struct Health {
    status: String,
    problems: Vec<String>,
}

/// Runs `sluice health`.
///
/// # Errors
/// Always with exit code 1, because 2 has another meaning in health checks.
pub async fn run(arguments: &HealthArgs, file: Option<&Path>) -> Result<(), Failure> {
    let server = match &arguments.url {
        Some(url) => url.clone(),
        None => address(Config::load(file).map_err(|error| Failure::failed(&error))?.server.bind)?,
    };
    let mut asked = server.clone();
    if let Ok(mut segments) = asked.path_segments_mut() {
        segments.pop_if_empty().push(if arguments.ready { "readyz" } else { "livez" });
    }
    let unreachable = |error| Failure::failed(&ApiError::unreachable(&server, &error));
    let client = reqwest::Client::builder()
        .user_agent(concat!("sluice/", env!("CARGO_PKG_VERSION")))
        .timeout(PATIENCE)
        // `HTTP_PROXY` may be set for the server's own mail or storage.
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .map_err(unreachable)?;
    let response = client.get(asked.clone()).send().await.map_err(unreachable)?;
    let status = response.status();
    let said = match response.json::<Health>().await {
        Ok(health) if health.problems.is_empty() => health.status,
        Ok(health) => format!("{}: {}", health.status, health.problems.join("; ")),
        Err(_) => return Err(Failure::failed(&format!("{asked} answered {status}, but not like a Sluice server"))),
    };
    if !status.is_success() {
        return Err(Failure::failed(&format!("{asked} answered {status}: {said}")));
    }
    say(said);
    Ok(())
}

/// The address at which this machine reaches the server: loopback if it listens on all addresses.
fn address(bind: SocketAddr) -> Result<Url, Failure> {
    if bind.port() == 0 {
        return Err(Failure::failed(
            &"server.bind leaves the port to the system, so it is not known here; name the address with --url",
        ));
    }
    let ip = match bind.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    read_server(&format!("http://{}", SocketAddr::new(ip, bind.port()))).map_err(|error| Failure::failed(&error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_listens_everywhere_is_asked_on_the_loopback_address() {
        for (bind, expected) in [
            ("127.0.0.1:8080", "http://127.0.0.1:8080/"),
            ("0.0.0.0:8080", "http://127.0.0.1:8080/"),
            ("[::]:81", "http://[::1]:81/"),
            ("192.0.2.7:80", "http://192.0.2.7/"),
        ] {
            assert_eq!(address(bind.parse().unwrap()).unwrap().as_str(), expected);
        }
        assert!(address("127.0.0.1:0".parse().unwrap()).unwrap_err().message.contains("--url"));
    }
}
