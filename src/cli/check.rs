//! `sluice check`: asks a running server what an updater would ask, and prints the answer.

mod answer;

use std::{collections::BTreeMap, io::Write as _, sync::Arc};

use url::Url;

use self::answer::Answer;
use super::{
    client::{Client, Secret, read_server, retry::Retries},
    failure::Failure,
};
use crate::domain::{
    InvalidValue,
    artifact::FullKind,
    decision::facts::Check,
    id::InstallationId,
    locale::LanguageTag,
    platform::{Component, MachineArch, Platform},
    slug::Slug,
    version::Version,
};

/// Ask a server for an update, as an installed program would
#[derive(Clone, Debug, clap::Args)]
#[command(
    long_about = "\
Ask a server for an update, as an installed program would, and show the answer.

Use it to see what a customer sees: give the version that is installed and the license key, and read which update \
is offered and why, or why not. The server remembers a check only if --installation is given.",
    after_long_help = "\
EXAMPLES
  What does version 12.4.0 of office-maker get on this machine, without a license key?
    sluice check office-maker 12.4.0

  And a customer's program on Windows, in French?
    SLUICE_LICENSE=XXXXX-XXXXX-XXXXX-XXXXX-XXXXX \\
      sluice check office-maker 12.4.0 --platform windows --arch x86_64 --locale fr-CH

  A multi-user client whose server runs 13.0.0:
    sluice check office-maker 12.4.0 --component client --server-version 13.0.0

  In a script:
    sluice check office-maker 12.4.0 --json | jq -r '.update.artifact.url // empty'

EXIT CODES
    0  nothing to do: up to date, or the vendor sees to updates
   10  an update is offered
   11  an update is there, for later (deferred)
   12  something newer is there that the license does not cover
   13  the client does not fit its server, and nothing that fits exists
   14  the vendor has stopped updates
    1  failed
    2  wrong usage
    3  the server refused to answer: an unknown product, a wrong license key
    4  the server could not be reached"
)]
pub struct CheckArgs {
    /// The product's slug
    #[arg(value_name = "PRODUCT")]
    product: Slug,

    /// The version that is installed
    #[arg(value_name = "VERSION")]
    version: Version,

    /// The server's address
    #[arg(long, env = "SLUICE_SERVER", value_name = "URL", default_value = "http://127.0.0.1:8080", value_parser = read_server)]
    server: Url,

    /// The license key; without it, only releases for everyone are offered
    ///
    /// Better set in the environment: other users of a machine can see the arguments of its programs.
    #[arg(long, env = "SLUICE_LICENSE", value_name = "KEY", hide_env_values = true)]
    license: Option<Secret>,

    /// The component that asks: standalone, server or client
    #[arg(long, default_value = "standalone")]
    component: Component,

    /// The operating system: windows, macos or linux [default: this machine's]
    #[arg(long)]
    platform: Option<Platform>,

    /// The architecture: `x86_64` or aarch64 [default: this machine's]
    #[arg(long)]
    arch: Option<MachineArch>,

    /// The channel [default: the product's most stable]
    #[arg(long)]
    channel: Option<Slug>,

    /// The installation's UUID; the server then remembers this check
    #[arg(long, value_name = "UUID")]
    installation: Option<InstallationId>,

    /// For a client: the version of its server
    #[arg(long, value_name = "VERSION")]
    server_version: Option<Version>,

    /// For a client: the operating system of its server [default: any]
    #[arg(long, value_name = "PLATFORM", requires = "server_version")]
    server_platform: Option<Platform>,

    /// For a client: the architecture of its server [default: any]
    #[arg(long, value_name = "ARCH", requires = "server_version")]
    server_arch: Option<MachineArch>,

    /// Only this kind of file: installer or archive [default: an installer before an archive]
    #[arg(long)]
    kind: Option<FullKind>,

    /// The language of the message and the notes, such as de or fr-CH [default: the product's]
    #[arg(long)]
    locale: Option<LanguageTag>,

    /// The reason for the check: startup, manual (a person asked) or scheduled
    #[arg(long, value_parser = ["startup", "manual", "scheduled"])]
    trigger: Option<String>,

    /// Print the server's answer as JSON
    #[arg(long)]
    json: bool,
}

/// Runs `sluice check`.
///
/// # Errors
/// [`Failure`] as the help describes. An answer other than "nothing to do" is a failure with an empty message.
pub async fn run(args: CheckArgs) -> Result<(), Failure> {
    let wrong_usage = |message: String| Failure { exit_code: 2, message };
    let license = args.license.as_ref().filter(|key| !key.is_empty());
    let authorization = license.map(|key| key.authorization("License")).transpose();
    let authorization = authorization.map_err(|message| wrong_usage(format!("--license: {message}")))?;
    let client = Client::new(args.server.clone(), authorization, Retries::NONE, Arc::new(|_, _| ()))?;
    let mut address = client.address(["api", "v1", "check"]);
    let check = args.check().map_err(wrong_usage)?;
    let asked = parameters(&check).map_err(|error| Failure { exit_code: 1, message: error.to_string() })?;
    address.query_pairs_mut().extend_pairs(asked);
    let received: serde_json::Value = client.get(&address).await?;
    let answer: Answer = serde_path_to_error::deserialize(&received).map_err(|error| Failure {
        exit_code: 1,
        message: format!("the answer is not one of a Sluice server: {error}"),
    })?;
    let text = if args.json { format!("{received:#}") } else { answer.to_string() };
    // The reader may have gone, which is no reason to fail.
    let _ = writeln!(std::io::stdout(), "{}", text.trim_end());
    match answer.exit_code() {
        0 => Ok(()),
        exit_code => Err(Failure { exit_code, message: String::new() }),
    }
}

impl CheckArgs {
    /// The check that the arguments describe.
    fn check(&self) -> Result<Check, String> {
        let platform = self.platform.or_else(|| std::env::consts::OS.parse().ok());
        let arch = self.arch.or_else(|| std::env::consts::ARCH.parse().ok());
        let platform = platform.ok_or("this machine's operating system has no releases; name one with --platform")?;
        let arch = arch.ok_or("this machine's architecture has no releases; name one with --arch")?;
        let least = Check::new(self.product.clone(), self.version.clone(), platform, arch);
        let trigger = self.trigger.as_deref().map(str::parse).transpose();
        Ok(Check {
            component: self.component,
            channel: self.channel.clone(),
            installation: self.installation,
            server_version: self.server_version.clone(),
            server_platform: self.server_platform,
            server_arch: self.server_arch,
            kind: self.kind,
            locale: self.locale.clone(),
            trigger: trigger.map_err(|error: InvalidValue| error.to_string())?.unwrap_or(least.trigger),
            ..least
        })
    }
}

/// A check as the parameters of a query.
fn parameters(check: &Check) -> serde_json::Result<Vec<(String, String)>> {
    let fields: BTreeMap<String, serde_json::Value> = serde_json::from_value(serde_json::to_value(check)?)?;
    let text = |value: serde_json::Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    Ok(fields.into_iter().map(|(name, value)| (name, text(value))).collect())
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;

    #[derive(clap::Parser)]
    struct Program {
        #[command(flatten)]
        check: CheckArgs,
    }

    fn asked(arguments: &str) -> String {
        let program = Program::try_parse_from(std::iter::once("check").chain(arguments.split(' '))).expect("arguments");
        let parameters = parameters(&program.check.check().expect("a check")).expect("parameters");
        parameters.into_iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn what_was_not_said_is_left_to_the_server() {
        let asked = asked("office-maker 12.4 --platform windows --arch aarch64");
        assert_eq!(asked, "arch=aarch64 component=standalone platform=windows product=office-maker version=12.4.0");
    }

    #[test]
    fn all_that_was_said_is_asked() {
        let asked = asked(
            "office-maker 12.4.0 --component client --platform macos --arch x86_64 --channel beta \
             --installation 0199a0de-0000-7000-8000-0000000000a1 --server-version 13.0.0 --server-platform linux \
             --server-arch x86_64 --kind archive --locale fr-ch --trigger manual",
        );
        let expected = "arch=x86_64 channel=beta component=client \
             installation=0199a0de-0000-7000-8000-0000000000a1 kind=archive locale=fr-CH platform=macos \
             product=office-maker server_arch=x86_64 server_platform=linux server_version=13.0.0 trigger=manual \
             version=12.4.0";
        assert_eq!(asked, expected);
    }
}
