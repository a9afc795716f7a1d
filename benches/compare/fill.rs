//! The generator: fills a data folder as a vendor's would be after some years. The same every time, except for the
//! folder's own keys. Written through the store, in one transaction.

use std::{collections::BTreeMap, fmt::Write as _, path::Path, sync::Arc};

use jiff::{Timestamp, ToSpan as _, civil::date, tz::TimeZone};
use sluice::{
    auth::{api_token, token_hash},
    domain::{
        artifact::{Artifact, ArtifactKind, Sha256},
        channel::Channels,
        customer::Customer,
        id::{ProductId, ReleaseId, SubscriptionId},
        license_key::{KeyRecord, LicenseKey},
        platform::{Arch, Component, Platform},
        product::{ExpiryPolicy, Product},
        release::{Access, Release, ReleaseState, Severity},
        rollout::Rollout,
        scope::Scope,
        slug::Slug,
        subscription::{Coverage, Deployment, Subscription, SubscriptionState},
        version::Version,
    },
    services::running::start,
    signing::{KEY_FILE, KeyFile, KeyForm, KeyRing},
    store::{self, Connection, Store, api_tokens::ApiToken},
};
use uuid::Uuid;

use crate::Outcome;

/// How much of everything.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    /// Products.
    pub products: usize,
    /// Releases of each.
    pub releases: u64,
    /// Subscriptions, with a license key each.
    pub subscriptions: usize,
}

/// The product whose draft takes the large file, apart from those that checks ask for.
pub const LARGE_PRODUCT: &str = "large";
/// The version of that draft.
pub const LARGE_VERSION: &str = "2.0.0";

/// What every release has: files for each component and machine.
const FILES: [(Component, Platform, Arch, ArtifactKind); 9] = [
    (Component::Standalone, Platform::Windows, Arch::X86_64, ArtifactKind::Installer),
    (Component::Standalone, Platform::Windows, Arch::Aarch64, ArtifactKind::Installer),
    (Component::Standalone, Platform::Macos, Arch::Universal, ArtifactKind::Installer),
    (Component::Standalone, Platform::Linux, Arch::X86_64, ArtifactKind::Archive),
    (Component::Server, Platform::Windows, Arch::X86_64, ArtifactKind::Installer),
    (Component::Server, Platform::Linux, Arch::X86_64, ArtifactKind::Archive),
    (Component::Client, Platform::Windows, Arch::X86_64, ArtifactKind::Installer),
    (Component::Client, Platform::Macos, Arch::Universal, ArtifactKind::Installer),
    (Component::Client, Platform::Linux, Arch::X86_64, ArtifactKind::Archive),
];

/// What programs ask for, and on what.
const MACHINES: [&str; 4] = [
    "platform=windows&arch=x86_64",
    "platform=windows&arch=aarch64",
    "platform=macos&arch=aarch64",
    "platform=linux&arch=x86_64",
];
const LOCALES: [&str; 4] = ["it", "de-CH", "fr", "en"];

/// What was filled in, as far as it must be known to use it.
#[derive(Debug)]
pub struct Filled {
    /// The data folder.
    pub data: std::path::PathBuf,
    /// For `Authorization`: may write and publish releases.
    pub authorization: String,
    /// A license key of [`LARGE_PRODUCT`].
    pub large_key: String,
    /// A check for each subscription: target and license key. Each is offered an update with a signed link.
    pub checks: Vec<(String, String)>,
    /// The subscriptions, in the same order.
    pub subscriptions: Vec<SubscriptionId>,
}

/// Numbers that look random and are the same every time (`SplitMix64`).
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next()).unwrap_or(0) % limit
    }

    fn choose<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len())]
    }

    fn bytes<const N: usize>(&mut self) -> [u8; N] {
        std::array::from_fn(|_| self.next().to_le_bytes()[0])
    }

    fn id<T: From<Uuid>>(&mut self) -> T {
        uuid::Builder::from_unix_timestamp_millis(1_700_000_000_000 + self.next() % 1_000_000_000, &self.bytes())
            .into_uuid()
            .into()
    }
}

/// Fills a new folder.
pub fn fill(data: &Path, size: Size) -> Outcome<Filled> {
    let store = Store::open(&data.join("sluice.sqlite3"))?;
    store.migrate()?;
    let keys = KeyRing::of(KeyFile::open(&data.join(KEY_FILE), None)?.keys())?;
    start::match_keys(&store, &keys, "the folder")?;
    Ok(store.write(|connection| Ok::<_, Failure>((write(connection, data, &keys, size)?, ())), drop)?)
}

/// Any failure within the transaction.
#[derive(Debug, thiserror::Error)]
#[error("the server was not filled: {0}")]
struct Failure(Box<dyn std::error::Error>);

impl From<store::StoreError> for Failure {
    fn from(error: store::StoreError) -> Self {
        Self(error.into())
    }
}

fn write(connection: &mut Connection, data: &Path, keys: &KeyRing, size: Size) -> Result<Filled, Failure> {
    let mut numbers = Numbers(2);
    let began = date(2024, 1, 15).to_zoned(TimeZone::UTC).map_err(|error| Failure(error.into()))?;
    let mut products = Vec::new();
    for number in 0..size.products {
        let product = product(&mut numbers, &format!("product-{number:02}"));
        store::products::insert(connection, &product)?;
        for minor in 0..size.releases {
            let published_at = (&began + i64::try_from(minor).unwrap_or(0).saturating_mul(60).days()).timestamp();
            insert_release(connection, &mut numbers, product.id, &Version::new(12, minor, 0), published_at)?;
        }
        products.push(product);
    }
    let large = product(&mut numbers, LARGE_PRODUCT);
    store::products::insert(connection, &large)?;

    let began = began.timestamp();
    let customer = Customer {
        id: numbers.id(),
        name: named("Everybody"),
        email: None,
        locale: None,
        external_ref: None,
        created_at: began,
        revision: 1,
    };
    store::customers::insert(connection, &customer)?;
    let subscribe = |connection: &mut Connection, numbers: &mut Numbers, product: ProductId| {
        let subscription = subscription(numbers, &customer, product, began);
        store::subscriptions::insert(connection, &subscription)?;
        let key = loop {
            if let Some(key) = LicenseKey::from_random(&numbers.bytes()) {
                break key;
            }
        };
        let record = KeyRecord {
            id: numbers.id(),
            subscription: subscription.coverage.id,
            fingerprint: keys.fingerprint(KeyForm::Issued, key.as_bytes()),
            imported: false,
            created_at: began,
            revoked_at: None,
        };
        store::license_keys::insert(connection, &record)?;
        Ok::<_, Failure>((key.to_string(), subscription.coverage.id))
    };
    let (large_key, _) = subscribe(connection, &mut numbers, large.id)?;
    let mut checks = Vec::with_capacity(size.subscriptions);
    let mut subscriptions = Vec::with_capacity(size.subscriptions);
    for _ in 0..size.subscriptions {
        let product = numbers.choose(&products).clone();
        let (key, id) = subscribe(connection, &mut numbers, product.id)?;
        subscriptions.push(id);
        // Half of the programs are one release behind, a quarter two, and so on.
        let behind = 1 + u64::from(numbers.next().trailing_zeros()).min(size.releases - 2);
        let minor = size.releases - 1 - behind;
        let (machine, locale) = (*numbers.choose(&MACHINES), *numbers.choose(&LOCALES));
        let slug = &product.slug;
        checks.push((format!("/api/v1/check?product={slug}&version=12.{minor}.0&{machine}&locale={locale}"), key));
    }

    let token = api_token::make(&[7; 64]).unwrap_or_default();
    let record = ApiToken {
        id: numbers.id(),
        name: "measuring".to_owned(),
        hash: token_hash(&token),
        scopes: Scope::ALL.to_vec(),
        product: None,
        created_at: began,
        expires_at: None,
        last_used_at: None,
        created_by: None,
        publisher: None,
    };
    store::api_tokens::insert(connection, &record)?;
    Ok(Filled { data: data.to_owned(), authorization: format!("Bearer {token}"), large_key, checks, subscriptions })
}

fn named<T: std::str::FromStr>(text: &str) -> T
where
    T::Err: std::fmt::Debug,
{
    text.parse().expect("a good value")
}

fn product(numbers: &mut Numbers, slug: &str) -> Product {
    Product {
        id: numbers.id(),
        slug: named(slug),
        name: named(&format!("The {slug} of the vendor")),
        channels: Channels::new(["stable", "beta", "alpha"].map(named::<Slug>).to_vec()).expect("good channels"),
        default_locale: named("en"),
        help_url: Some(named(&format!("https://vendor.example/help/{slug}"))),
        renew_url: Some(named(&format!("https://vendor.example/renew/{slug}"))),
        expiry_policy: ExpiryPolicy::KeepPublished,
        min_supported_version: None,
        timezone: named("Europe/Rome"),
        required_artifacts: Vec::new(),
        required_locales: Vec::new(),
        two_person_rule: false,
        revision: 1,
    }
}

fn insert_release(
    connection: &mut Connection,
    numbers: &mut Numbers,
    product: ProductId,
    version: &Version,
    published_at: Timestamp,
) -> Result<(), Failure> {
    let note = |text: &str| format!("- {text} in {version}\n- {text} \"Save as…\"\n- {text} reports\n");
    let release = Release {
        id: numbers.id::<ReleaseId>(),
        product,
        version: version.clone(),
        channel: named("stable"),
        state: ReleaseState::Published,
        published_at: Some(published_at),
        severity: Severity::Normal,
        access: Access::Subscribers,
        min_from: None,
        compatible_clients: None,
        notes: BTreeMap::from([
            (named("de"), note("Schneller und besser")),
            (named("en"), note("Faster and better")),
            (named("it"), note("Più veloce e migliore")),
        ]),
        rollout: Rollout::default(),
        yank_reason: None,
        artifacts: Vec::new(),
        created_at: published_at,
        manifest_revision: 1,
        revision: 1,
        announced_at: None,
    };
    store::releases::insert(connection, &release)?;
    for (component, platform, arch, kind) in FILES {
        let artifact = Artifact {
            store: sluice::domain::artifact::ContentStore::Files,
            id: numbers.id(),
            component,
            platform,
            arch,
            kind,
            filename: named(&format!("Program-{version}-{component}-{platform}-{arch}.bin")),
            size: 100_000_000 + numbers.next() % 100_000_000,
            sha256: Sha256(numbers.bytes()),
            signature: None,
        };
        store::artifacts::insert(connection, release.id, &artifact)?;
    }
    Ok(())
}

fn subscription(numbers: &mut Numbers, customer: &Customer, product: ProductId, began: Timestamp) -> Subscription {
    Subscription {
        coverage: Coverage {
            id: numbers.id(),
            product,
            deployment: Deployment::SingleUser,
            state: SubscriptionState::Active,
            starts_on: date(2024, 1, 1),
            ends_on: Some(date(2099, 12, 31)),
            grace_days: 15,
            channels: Arc::new([named("stable")]),
            version_req: None,
            hosting_group: None,
        },
        customer: customer.id,
        external_ref: None,
        renews: true,
        created_at: began,
        revision: 1,
    }
}

impl Filled {
    /// At most so many of the checks, of subscriptions from all over.
    pub fn some_lines(&self, most: usize) -> String {
        let mut lines = String::new();
        for (target, key) in self.checks.iter().step_by(self.checks.len().div_ceil(most).max(1)) {
            let _ = writeln!(lines, "{target}\t{key}");
        }
        lines
    }

    /// The checks as the load generator reads them; `with_installation` makes each name its installation.
    pub fn lines(&self, with_installation: bool) -> String {
        let mut numbers = Numbers(3);
        let mut lines = String::new();
        for (target, key) in &self.checks {
            let id: Uuid = numbers.id();
            let installation = if with_installation { format!("&installation={id}") } else { String::new() };
            let _ = writeln!(lines, "{target}{installation}\t{key}");
        }
        lines
    }
}
