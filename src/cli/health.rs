//! `sluice health`: whether a server lives, for those that watch over it and have no other client at hand: a container's
//! health check, a script that upgrades one replica after another.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    path::Path,
    time::Duration,
};

use clap::Args;
use serde::Deserialize;
use url::Url;

use super::{
    Failure,
    client::{error::ApiError, read_server},
    say,
};
use crate::config::Config;

/// A server that lives answers within milliseconds; what takes this long is stuck. Less than what a container's health
/// check usually waits, so that the command still says why before it is killed.
const PATIENCE: Duration = Duration::from_secs(4);

/// Ask a server whether it is well.
///
/// Says how it is, and ends with 0 when it is well and with 1 when it is not or does not answer. What it asks is the one
/// server that listens at that address: no proxy is used.
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:
  sluice health                                       does the server of this configuration live?
  sluice health --ready                               can it answer programs?
  sluice health --url https://updates.example.com     and the one out there?")]
pub struct HealthArgs {
    /// The server's address [default: where server.bind listens, on this machine]
    #[arg(long, value_name = "URL", value_parser = read_server)]
    url: Option<Url>,
    /// Ask whether it can do its work (/readyz), and not only whether it lives (/livez). What watches over the process,
    /// to start it again, must not ask this: a new process does not bring back a database that is away.
    #[arg(long)]
    ready: bool,
}

/// What a server says of itself.
#[derive(Deserialize)]
struct Health {
    status: String,
    problems: Vec<String>,
}

/// Runs the command.
///
/// # Errors
/// With exit code 1, whatever is wrong: 2 has a meaning of its own to those that run health checks.
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
        // HTTP_PROXY may well be set where the server's own mail or storage needs it.
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .map_err(unreachable)?;
    let response = client.get(asked.clone()).send().await.map_err(unreachable)?;
    let status = response.status();
    let said = match response.json::<Health>().await {
        Ok(health) if health.problems.is_empty() => health.status,
        Ok(health) => format!("{}: {}", health.status, health.problems.join("; ")),
        Err(_) => return Err(Failure::failed(&format!("{asked} answered {status}, but not as a Sluice server does"))),
    };
    if !status.is_success() {
        return Err(Failure::failed(&format!("{asked} answered {status}: {said}")));
    }
    say(said);
    Ok(())
}

/// How this machine reaches what listens there: who listens on all addresses is asked on the loopback one.
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
