//! Composition: builds everything from the configuration. The only place that knows all rooms below.

use std::sync::Arc;

use jiff::SignedDuration;

use crate::{
    artifacts::{Artifacts, ArtifactsError},
    auth::{password::Passwords, session::Sessions},
    clock::{Clock, SystemClock},
    config::{Config, ConfigError, Span},
    data_folder::{DataFolder, DataFolderError},
    metrics::Metrics,
    services::{Context, Refusal, Settings, log_in, start},
    signing::{KeyError, KeyRing, random},
    store::{Store, StoreError},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

/// Why the application cannot be built. Each says in one line what is wrong and what to do.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The configuration is wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The data folder cannot be used.
    #[error(transparent)]
    DataFolder(#[from] DataFolderError),
    /// The database cannot be used.
    #[error("{0}")]
    Store(#[from] StoreError),
    /// The artifacts cannot be used.
    #[error(transparent)]
    Artifacts(#[from] ArtifactsError),
    /// The keys cannot be used.
    #[error(transparent)]
    Keys(#[from] KeyError),
    /// The first administrator cannot be made.
    #[error("the first administrator (auth.bootstrap_email, auth.bootstrap_password) was not made: {0}")]
    Bootstrap(Refusal),
    /// The password hashing of the configuration is not possible.
    #[error("auth.password_memory_kib and auth.password_passes: {0}")]
    Passwords(String),
    /// The metrics cannot be set up.
    #[error("the metrics cannot be set up: {0}")]
    Metrics(#[from] prometheus::Error),
}

/// The composed application.
pub struct App {
    /// What use cases work with.
    pub context: Arc<Context>,
    /// What is counted.
    pub metrics: Metrics,
    /// What the one-time link has, while there is no administrator.
    pub setup_token: Option<String>,
    /// Held as long as the application lives, so that no other one uses the same folder.
    _folder: DataFolder,
}

impl std::fmt::Debug for App {
    /// Never the one-time link.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("App")
    }
}

impl App {
    /// Builds the application: opens the data folder, brings the database up to date and reads it.
    ///
    /// # Errors
    /// [`StartError`] with one line for the person who started it.
    pub fn build(config: &Config, bound: std::net::SocketAddr) -> Result<Self, StartError> {
        let folder = DataFolder::open(&config.data.folder)?;
        let store = Store::connect(&config.database_url()?, config.database.connections)?;
        for migration in store.migrate().map_err(|error| error.at(store.place()))? {
            tracing::info!(migration, "database migrated");
        }
        let keys = KeyRing::open(&config.data.folder)?;
        start::match_keys(&store, &keys)?;
        let artifacts = Artifacts::open(&config.storage_folder()?, config.downloads.threads)?;
        start::match_artifacts(&store, &artifacts)?;
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let context = Arc::new(Context {
            clock,
            directory: start::directory(&store).map_err(|error| error.at(store.place()))?,
            artifacts,
            hashing: tokio::sync::Semaphore::new(std::thread::available_parallelism().map_or(1, usize::from)),
            sessions: Sessions::new(keys.session_secrets()),
            passwords: Passwords::new(config.auth.password_memory_kib, config.auth.password_passes)
                .map_err(|error| StartError::Passwords(error.to_string()))?,
            settings: Settings {
                public_url: config.public_url(bound)?,
                url_ttl: signed(config.downloads.url_ttl),
                keep_loose: signed(config.storage.keep_loose),
                next_check_after: config.checks.next_check_after.seconds(),
                session_ttl: signed(config.auth.session_ttl),
                refresh_ttl: signed(config.auth.refresh_ttl),
            },
            store,
            keys,
        });
        Ok(Self { context, metrics: Metrics::new()?, setup_token: None, _folder: folder })
    }

    /// Makes the first administrator from the configuration, or a token for the one-time link, while there is none.
    ///
    /// # Errors
    /// [`StartError::Bootstrap`] when the configured address or password is not good.
    pub async fn bootstrap(&mut self, config: &Config) -> Result<(), StartError> {
        if log_in::is_set_up(&self.context).await.map_err(StartError::Bootstrap)? {
            return Ok(());
        }
        if config.auth.bootstrap_email.is_empty() {
            self.setup_token = Some(URL_SAFE_NO_PAD.encode(random::<24>()));
            return Ok(());
        }
        let password = config.auth.bootstrap_password.reveal().to_owned();
        log_in::set_up(&self.context, &config.auth.bootstrap_email, password)
            .await
            .map(drop)
            .map_err(StartError::Bootstrap)
    }

    /// The one-time link, while there is no administrator.
    #[must_use]
    pub fn setup_link(&self) -> Option<String> {
        self.setup_token.as_ref().map(|token| format!("{}/setup?token={token}", self.context.settings.public_url))
    }
}

fn signed(span: Span) -> SignedDuration {
    SignedDuration::try_from(span.0).unwrap_or(SignedDuration::MAX)
}
