//! `serve --demo`: a made-up vendor.
//!
//! Its data is in `demo/catalogue.toml` and `demo/customers.toml`. It is entered through the use cases that the API
//! calls, but with fixed ids, and with days counted from the first start.

mod catalogue;
mod catalogue_file;
mod customers;
mod files;
mod lines;
mod outbox;

use serde::de::DeserializeOwned;
use serde_json::json;
use uuid::Uuid;

use crate::{
    app::App,
    auth::api_token,
    cli::failure::Failure,
    config::Config,
    domain::{approval::ApprovalAction, id::TokenId, role::Role, scope::Scope},
    services::{
        Context,
        people::{
            tokens::NewToken,
            trust::{NewTrustedPublisher, TrustPreset},
        },
        running::seed_vendor::{self, SeedApproval, Vendor},
    },
};

/// The demo's administrator. Everyone knows the password, so the demo listens on this machine only.
pub const EMAIL: &str = "admin@demo.example.com";
/// The administrator's password.
pub const PASSWORD: &str = "demo-password";

/// The state of the demo's data folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// It was empty, and was filled.
    Fresh,
    /// It has the made-up vendor of an earlier start.
    Known,
    /// It has other data, which is served unchanged.
    Foreign,
}

/// Separates the demo from real data by another default folder, and keeps its known password off the network.
///
/// # Errors
/// With exit code 2 if other machines could reach the demo.
pub fn adapt(config: &mut Config) -> Result<(), Failure> {
    if !config.server.bind.ip().is_loopback() {
        let bind = config.server.bind;
        let message = format!(
            "everyone knows the demo's password and keys, so it listens on this machine only, not on {bind}; set server.bind to 127.0.0.1:{}",
            bind.port()
        );
        return Err(Failure { exit_code: 2, message });
    }
    if config.data.folder == std::path::Path::new("./data") {
        config.data.folder = "./demo-data".into();
    }
    Ok(())
}

/// Fills an empty data folder; any other is left unchanged.
pub async fn fill(app: &App, config: &Config) -> Result<Stage, Failure> {
    let context = &app.context;
    let failed = |error| Failure::failed(&error);
    if seed_vendor::is_empty(context).await.map_err(failed)? {
        let administrator = config.auth.bootstrap_email.is_empty().then(|| (EMAIL.to_owned(), PASSWORD.to_owned()));
        let vendor = Vendor { administrator, ..vendor(context)? };
        seed_vendor::seed(context, &app.authentication, vendor).await.map_err(failed)?;
        return Ok(Stage::Fresh);
    }
    Ok(if lines::work(context) { Stage::Known } else { Stage::Foreign })
}

/// Prints what there is to try.
pub fn print(context: &Context, config: &Config, stage: Stage) {
    let folder = config.data.folder.display();
    match stage {
        Stage::Fresh => {
            println!("\nA made-up vendor, for this machine only: everyone knows its password and keys.");
        }
        Stage::Known => println!(
            "\nThe made-up vendor of an earlier start, with its changes since. Delete {folder} for a fresh one."
        ),
        Stage::Foreign => {
            println!("\nThe data folder {folder} was not empty, so nothing was added; its data is served unchanged.");
            return;
        }
    }
    lines::print(context, config.auth.bootstrap_email.is_empty());
}

/// The whole vendor, as of now.
fn vendor(context: &Context) -> Result<Vendor, Failure> {
    let now = context.clock.now();
    let mut vendor = Vendor::default();
    catalogue::enter(&mut vendor, now)?;
    customers::enter(&mut vendor, now)?;
    outbox::enter(&mut vendor, now)?;
    vendor.tokens = vec![
        token(1, PIPELINE, "release pipeline", &[Scope::ReleasesWrite, Scope::ReleasesPublish])?,
        token(2, "DemoOldPipeline", "release pipeline of the old office", &[Scope::ReleasesWrite])?,
        token(3, SUPPORT, "support desk", &[Scope::SubscriptionsRead])?,
    ];
    vendor.approvals = vec![
        asked(1, "5.2.0", ApprovalAction::Publish, json!({"rollout": {"percent": 10}}))?,
        asked(2, "5.2.0-beta.1", ApprovalAction::Promote, json!({"channel": "stable"}))?,
    ];
    let product = "office-maker".parse().map_err(|error| Failure::failed(&error))?;
    vendor.trusted_publishers = vec![(id(0xf, 1), product, pipeline())];
    vendor.colleagues = vec![
        (id(0xe, 1), MANAGER.to_owned(), Role::ReleaseManager),
        (id(0xe, 2), "support@demo.example.com".to_owned(), Role::Support),
    ];
    Ok(vendor)
}

/// The demo's release manager.
const MANAGER: &str = "releases@demo.example.com";

/// An approval request of the release manager.
fn asked(
    number: usize,
    version: &str,
    deed: ApprovalAction,
    parameters: serde_json::Value,
) -> Result<SeedApproval, Failure> {
    let failed = |error| Failure::failed(&error);
    Ok(SeedApproval {
        id: id(0x14, number),
        requester: (id(0xe, 1), MANAGER.to_owned()),
        product: "library-maker".parse().map_err(failed)?,
        version: version.parse().map_err(failed)?,
        deed,
        parameters,
    })
}

/// The name in the API token of the vendor's pipeline.
const PIPELINE: &str = "DemoPipeline";
/// The name in the API token of the vendor's support desk.
const SUPPORT: &str = "DemoSupportDesk";

/// A project on a server that does not exist.
fn pipeline() -> NewTrustedPublisher {
    NewTrustedPublisher {
        scopes: vec![Scope::ReleasesWrite, Scope::ReleasesPublish],
        preset: Some(TrustPreset::Gitlab),
        issuer: Some("https://gitlab.example.com".to_owned()),
        project_path: Some("demo/office-maker".to_owned()),
        r#ref: Some("refs/tags/v*".to_owned()),
        ref_protected: Some(true),
        ..NewTrustedPublisher::default()
    }
}

fn token(number: usize, name: &str, about: &str, scopes: &[Scope]) -> Result<(TokenId, String, NewToken), Failure> {
    let about = about.parse().map_err(|error| Failure::failed(&error))?;
    let new = NewToken { name: about, scopes: scopes.to_vec(), product: None, expires_in_days: None };
    Ok((id(0xd, number), token_text(name), new))
}

/// A well-known API token: the name, padded with zeros, in the form of API tokens.
fn token_text(name: &str) -> String {
    let mut bytes = [0; 64];
    for (byte, letter) in bytes.iter_mut().zip(name.bytes()) {
        // The byte that becomes this letter: API tokens use the digits, then A to Z, then a to z.
        *byte = match letter {
            b'A'..=b'Z' => letter - b'A' + 10,
            b'a'..=b'z' => letter - b'a' + 36,
            _ => 0,
        };
    }
    api_token::make(&bytes).unwrap_or_default()
}

/// The demo's ids: `0199a0de-0000-7000-8000-0000000000a1` is number 1 of family `a`.
fn id<T: From<Uuid>>(family: u16, number: usize) -> T {
    let number = u128::try_from(number).unwrap_or(0);
    let family = u128::from(family) * if number < 0x10 { 0x10 } else { 0x100 };
    T::from(Uuid::from_u128(0x0199_a0de_0000_7000_8000_0000_0000_0000 + family + number))
}

/// Reads an embedded file.
fn read<T: DeserializeOwned>(name: &str, text: &str) -> Result<T, Failure> {
    toml::from_str(text).map_err(|error| Failure::failed(&format!("the demo's own {name}: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_well_formed_and_ids_are_those_of_the_api_examples() {
        assert!(token_text(PIPELINE).starts_with("slk_DemoPipeline0000"), "{}", token_text(PIPELINE));
        assert!(api_token::is_well_formed(&token_text(SUPPORT)));
        assert_eq!(id::<Uuid>(0xa, 1).to_string(), "0199a0de-0000-7000-8000-0000000000a1");
        assert_eq!(id::<Uuid>(0xc, 40).to_string(), "0199a0de-0000-7000-8000-000000000c28");
    }
}
