//! Composition: builds everything from the configuration. Only this file knows all rooms below.

#[cfg(test)]
pub(crate) mod fixture;
#[cfg(test)]
mod tests;

use std::{path::PathBuf, sync::Arc, time::Duration};

use arc_swap::ArcSwap;
use ipnet::IpNet;

use crate::{
    artifacts::{Artifacts, ArtifactsError, BucketOptions, KeyPair, Options},
    auth::{
        issuer::{Issuers, PATIENCE},
        password::Passwords,
        provider::{Provider, Registration},
        session::Sessions,
    },
    clock::{Clock, SystemClock},
    config::{Config, ConfigError, DownloadMode},
    data_folder::{DataFolder, DataFolderError},
    domain::artifact::ContentStore,
    egress::Egress,
    limits::{Allowance, Limits},
    mail::{Mailer, NoMailer, is_address},
    metrics::Metrics,
    services::{
        Context, Refusal, Settings,
        field::journal::Journal,
        people::{authentication::Authentication, identity_provider::SingleSignOn, log_in},
        releasing::guard_rollouts::Judging,
        running::{
            following::Following,
            key_place::KeyPlace,
            share_keys::Vault,
            start::{self, MatchError},
        },
    },
    signing::{EncryptionKey, EncryptionKeys, KEY_FILE, KeyError, KeyFile, KeyRing, NoKeys, random},
    store::{Store, StoreError},
    webhook::Poster,
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

/// Why the application cannot be built: one line that says what is wrong and what to do.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    DataFolder(#[from] DataFolderError),
    #[error("{0}")]
    Store(#[from] StoreError),
    #[error(transparent)]
    Artifacts(#[from] ArtifactsError),
    /// The key file cannot be used.
    #[error(transparent)]
    Keys(#[from] KeyError),
    /// The keys in the database cannot be used.
    #[error("the signing keys in the database are damaged ({0}); restore it from a backup")]
    SharedKeys(#[from] NoKeys),
    /// The setting with an invalid encryption key.
    #[error("{0} is not 32 bytes in base64; make one with `openssl rand -base64 32`")]
    EncryptionKey(&'static str),
    /// The first administrator cannot be created.
    #[error("the first administrator (auth.bootstrap_email, auth.bootstrap_password) was not made: {0}")]
    Bootstrap(Refusal),
    /// The cost of password hashes is invalid.
    #[error("auth.password_memory_kib and auth.password_passes: {0}")]
    Passwords(String),
    #[error(transparent)]
    Mail(#[from] NoMailer),
    /// An address of the staff is invalid.
    #[error("configuration: mail.staff: `{0}` must be one plain e-mail address such as `anna@example.com`")]
    Staff(String),
    #[error("messages to webhooks cannot be sent: {0}")]
    Webhooks(String),
    #[error("configuration: single_sign_on.issuer: {0}")]
    IdentityProvider(String),
    #[error("the issuers of tokens cannot be asked: {0}")]
    Issuers(String),
    #[error("the metrics cannot be set up: {0}")]
    Metrics(#[from] prometheus::Error),
}

/// The composed application.
pub struct App {
    pub context: Arc<Context>,
    /// What those who prove who they are meet with.
    pub authentication: Arc<Authentication>,
    /// Reports on their way into the database.
    pub journal: Arc<Journal>,
    /// Releases that are to be judged.
    pub judging: Arc<Judging>,
    /// How far the directory has followed what other replicas change.
    pub following: Arc<Following>,
    /// Where the keys are kept that replicas share; not there on the embedded default.
    pub vault: Option<Arc<Vault>>,
    pub metrics: Metrics,
    pub limits: Arc<Limits>,
    /// The proxies whose `X-Forwarded-For` is trusted.
    pub trusted_proxies: Vec<IpNet>,
    pub is_https: bool,
    /// How long a client may pause while it sends a body.
    pub body_timeout: Duration,
    /// The token of the one-time link, while there is no administrator.
    pub setup_token: Option<String>,
    /// Held as long as the application lives, so that no other process uses the folder.
    _folder: Option<DataFolder>,
}

impl std::fmt::Debug for App {
    /// Does not show the one-time link.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("App")
    }
}

impl App {
    /// Builds the application: opens the data folder, migrates the database and reads it. If everything is stored on
    /// servers, no data folder is needed or created.
    pub fn build(config: &Config, bound: std::net::SocketAddr) -> Result<Self, StartError> {
        check_staff(config)?;
        let keeps_something = !config.database.is_shared() || config.stores()?.main == ContentStore::Files;
        let folder = keeps_something.then(|| DataFolder::open(&config.data.folder)).transpose()?;
        Self::build_in(folder, config, bound)
    }

    /// The same for a command that may run beside servers, if the database is shared.
    pub fn build_beside(config: &Config, bound: std::net::SocketAddr) -> Result<Self, StartError> {
        let folder = (!config.database.is_shared()).then(|| DataFolder::open(&config.data.folder)).transpose()?;
        Self::build_in(folder, config, bound)
    }

    fn build_in(folder: Option<DataFolder>, config: &Config, bound: std::net::SocketAddr) -> Result<Self, StartError> {
        let store = Store::connect(&config.database_url()?, config.database.connections)?;
        for migration in store.migrate().map_err(|error| error.at(store.place()))? {
            tracing::info!(migration, "database migrated");
        }
        let artifacts = Artifacts::open(artifact_options(config)?)?;
        start::match_artifacts(&store, &artifacts).map_err(|error| match error {
            MatchError::Store(error) => StartError::Store(error),
            MatchError::Artifacts(error) => StartError::Artifacts(error),
        })?;
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let (directory, following) = start::directory(&store).map_err(|error| error.at(store.place()))?;
        // After the position in the change log is known, so that a rotation in between is followed like any other.
        let (keys, vault) = Self::keys(config, &store)?;
        let public_url = config.public_url(bound)?;
        let is_https = public_url.starts_with("https:");
        let single_sign_on = single_sign_on(config, &public_url)?;
        let context = Arc::new(Context {
            mailer: mailer(config, &public_url)?,
            poster: Poster::new(config.webhooks.timeout.0, config.webhooks.allow_private)
                .map_err(StartError::Webhooks)?,
            issuers: Egress::new(PATIENCE, config.auth.allow_private_issuers, "auth.allow_private_issuers")
                .map(Issuers::new)
                .map_err(StartError::Issuers)?,
            outbox_filled: tokio::sync::watch::Sender::new(()),
            clock,
            directory,
            artifacts,
            sessions: ArcSwap::from_pointee(Sessions::new(keys.session_secrets())),
            passwords: Passwords::new(config.auth.password_memory_kib, config.auth.password_passes)
                .map_err(|error| StartError::Passwords(error.to_string()))?,
            settings: Settings {
                public_url,
                url_ttl: config.downloads.url_ttl.signed(),
                keep_loose: config.storage.keep_loose.signed(),
                redirects: config.downloads.mode == DownloadMode::Redirect,
                next_check_after: config.checks.next_check_after.seconds(),
                lost_after: config.runs.lost_after.signed(),
                session_ttl: config.auth.session_ttl.signed(),
                refresh_ttl: config.auth.refresh_ttl.signed(),
                trusted_publishing_ttl: config.auth.trusted_publishing_ttl.signed(),
                staff: config.mail.staff.0.clone(),
                mails_per_day: config.mail.per_subscription_per_day,
                messages_per_day: config.webhooks.runs_per_subscription_per_day,
                ending_days: config.mail.ending_days.0.clone(),
                approvals_expire_after: config.approvals.expire_after.signed(),
                new_approvers_wait: config.approvals.new_approvers_wait.signed(),
            },
            store,
            keys: ArcSwap::from_pointee(keys),
        });
        let judging = Arc::<Judging>::default();
        Ok(Self {
            context,
            authentication: Arc::new(Authentication::new(single_sign_on)),
            journal: Arc::new(Journal::new(Arc::clone(&judging))),
            judging,
            following: Arc::new(following),
            vault: vault.map(Arc::new),
            metrics: Metrics::new()?,
            limits: Arc::new(Limits::new(allowance(config))),
            trusted_proxies: config.server.trusted_proxies.0.clone(),
            is_https,
            body_timeout: config.server.body_timeout.0,
            setup_token: None,
            _folder: folder,
        })
    }

    /// Reads the keys: from the data folder for a single process, from the database if it is shared.
    fn keys(config: &Config, store: &Store) -> Result<(KeyRing, Option<Vault>), StartError> {
        let (keys, is_current, place, vault) = if store.is_shared() {
            let vault = vault(config)?;
            let (keys, is_current) = vault.open_or_fill(store)?;
            (KeyRing::of(&keys)?, is_current, "the setting `keys` of the database", Some(vault))
        } else {
            let file = KeyFile::open(&config.data.folder.join(KEY_FILE), encryption_keys(config)?)?;
            (KeyRing::of(file.keys())?, file.is_current(), "`keys.json` of the data folder", None)
        };
        start::match_keys(store, &keys, place)?;
        if !is_current {
            tracing::warn!(
                "the keys in {place} are not encrypted with keys.encryption_key yet; once every replica has it, run `sluice keys encrypt`"
            );
        }
        Ok((keys, vault))
    }

    /// The keys for a command on the machine itself, created if there are none.
    pub fn keys_or_new(config: &Config, store: &Store) -> Result<KeyRing, StartError> {
        Self::keys(config, store).map(|(keys, _)| keys)
    }

    /// Creates the first administrator from the configuration, or else a token for the one-time link.
    ///
    /// # Errors
    /// [`StartError::Bootstrap`] when the configured address or password is invalid.
    pub async fn bootstrap(&mut self, config: &Config) -> Result<(), StartError> {
        if log_in::is_set_up(&self.context).await.map_err(StartError::Bootstrap)? {
            return Ok(());
        }
        if config.auth.bootstrap_email.is_empty() {
            self.setup_token = Some(URL_SAFE_NO_PAD.encode(random::<24>()));
            return Ok(());
        }
        let password = config.auth.bootstrap_password.reveal().to_owned();
        match log_in::set_up(&self.context, &self.authentication, &config.auth.bootstrap_email, password).await {
            // Another replica has created the administrator.
            Err(_) if log_in::is_set_up(&self.context).await.is_ok_and(|is_set_up| is_set_up) => Ok(()),
            done => done.map(drop).map_err(StartError::Bootstrap),
        }
    }

    /// The one-time link, while there is no administrator.
    #[must_use]
    pub fn setup_link(&self) -> Option<String> {
        self.setup_token.as_ref().map(|token| format!("{}/setup?token={token}", self.context.settings.public_url))
    }
}

/// The place of the keys in a shared database.
///
/// # Errors
/// [`StartError::EncryptionKey`] when `keys.encryption_key` is invalid.
pub fn vault(config: &Config) -> Result<Vault, StartError> {
    let encryption = encryption_keys(config)?.ok_or(StartError::EncryptionKey("keys.encryption_key"))?;
    Ok(Vault::new(encryption))
}

/// The place of the keys: this file, or the database.
pub fn key_place(config: &Config, file: Option<PathBuf>) -> Result<KeyPlace, StartError> {
    match file {
        Some(file) => Ok(KeyPlace::File(file, encryption_keys(config)?)),
        None => vault(config).map(KeyPlace::Database),
    }
}

/// The configured encryption keys.
pub fn encryption_keys(config: &Config) -> Result<Option<Arc<EncryptionKeys>>, StartError> {
    let read = |name, text: &str| match text {
        "" => Ok(None),
        text => EncryptionKey::read(text).map(Some).ok_or(StartError::EncryptionKey(name)),
    };
    let previous = read("keys.previous_encryption_key", config.keys.previous_encryption_key.reveal())?;
    let current = read("keys.encryption_key", config.keys.encryption_key.reveal())?;
    Ok(current.map(|current| Arc::new(EncryptionKeys::new(current, previous))))
}

/// The artifact stores that the configuration names.
pub fn artifact_options(config: &Config) -> Result<Options, ConfigError> {
    let stores = config.stores()?;
    let storage = &config.storage;
    let given = |text: &String| Some(text.clone()).filter(|text| !text.is_empty());
    let keys =
        given(&storage.access_key_id).map(|id| KeyPair { id, secret: storage.secret_access_key.reveal().to_owned() });
    let s3 = stores.s3.map(|url| BucketOptions {
        bucket: url.bucket,
        prefix: url.prefix,
        endpoint: given(&storage.endpoint),
        public_endpoint: given(&storage.public_endpoint),
        region: storage.region.clone(),
        keys,
        path_style: storage.path_style,
    });
    Ok(Options { main: stores.main, files: stores.files, s3, threads: config.downloads.threads })
}

/// The mailer, if an SMTP server is configured.
fn mailer(config: &Config, public_url: &str) -> Result<Option<Mailer>, NoMailer> {
    let url = config.mail.smtp_url.reveal();
    // The `Message-ID` contains the host name that people know.
    let host = url::Url::parse(public_url).ok().and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_default();
    (!url.is_empty()).then(|| Mailer::new(url, &config.mail.from, &host)).transpose()
}

/// Single sign-on, if an identity provider is configured.
pub fn single_sign_on(config: &Config, public_url: &str) -> Result<Option<SingleSignOn>, StartError> {
    let config = &config.single_sign_on;
    if !config.is_on() {
        return Ok(None);
    }
    // Private addresses are allowed: the operator configures the provider, and many companies run their own.
    let egress = Egress::new(PATIENCE, true, "single_sign_on.issuer").map_err(StartError::Issuers)?;
    let registration = Registration {
        issuer: config.issuer.clone(),
        client_id: config.client_id.clone(),
        client_secret: config.client_secret.reveal().to_owned(),
        scopes: config.scopes.0.clone(),
        redirect_uri: format!("{public_url}/api/v1/auth/sso/callback"),
    };
    Ok(Some(SingleSignOn {
        provider: Provider::new(Issuers::new(egress), registration).map_err(StartError::IdentityProvider)?,
        role_claim: config.role_claim.clone(),
        roles: config.roles.0.clone(),
        create_users: config.create_users,
        trust_email: config.trust_email,
        login_ttl: config.login_ttl.signed(),
        password_login: config.password_login,
    }))
}

fn allowance(config: &Config) -> Allowance {
    let limits = &config.limits;
    Allowance {
        key: limits.requests_per_key,
        caller: limits.requests_per_token,
        anonymous: limits.anonymous_per_address,
        failures: limits.failures_per_address,
        logins: limits.logins_per_address,
        downloads_per_key: limits.downloads_at_once_per_key,
        downloads_per_address: limits.downloads_at_once_per_address,
    }
}

fn check_staff(config: &Config) -> Result<(), StartError> {
    let wrong = config.mail.staff.0.iter().find(|address| !is_address(address));
    wrong.map_or(Ok(()), |address| Err(StartError::Staff(address.clone())))
}
