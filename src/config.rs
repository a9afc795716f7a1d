//! Configuration: the embedded defaults, then a file, then the environment, checked once and typed.

mod limits;
mod mail;
mod private_url;
mod single_sign_on;
mod storage;

use std::{
    collections::HashMap,
    fmt,
    path::{Path, PathBuf},
    time::Duration,
};

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

pub use limits::LimitsConfig;
pub use mail::{List, MailConfig, WebhooksConfig};
pub use private_url::PrivateUrl;
pub use single_sign_on::SingleSignOnConfig;
pub use storage::{BucketUrl, DownloadMode, StorageConfig, Stores};

/// Every key with its default and its description.
pub const DEFAULTS: &str = include_str!("config/default.toml");

/// The configuration.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    pub server: ServerConfig,
    pub data: DataConfig,
    pub database: DatabaseConfig,
    pub keys: KeysConfig,
    pub storage: StorageConfig,
    pub auth: AuthConfig,
    pub approvals: ApprovalsConfig,
    pub single_sign_on: SingleSignOnConfig,
    pub limits: LimitsConfig,
    pub downloads: DownloadsConfig,
    pub checks: ChecksConfig,
    pub runs: RunsConfig,
    pub mail: MailConfig,
    pub webhooks: WebhooksConfig,
    pub log: LogConfig,
}

/// `[server]`
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ServerConfig {
    pub bind: std::net::SocketAddr,
    /// The address in links; empty for the one that the server listens on.
    pub public_url: String,
    /// Threads that answer requests; 0 for one per processor.
    pub workers: usize,
    /// How long running requests may continue after a stop signal.
    pub shutdown_timeout: Span,
    /// How long a client may pause while it sends a body.
    pub body_timeout: Span,
    /// The proxies whose `X-Forwarded-For` is trusted.
    pub trusted_proxies: List<IpNet>,
}

/// `[data]`
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct DataConfig {
    pub folder: PathBuf,
}

/// `[database]`
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct DatabaseConfig {
    /// `sqlite:PATH`, `postgres://…`, or empty.
    pub url: PrivateUrl,
    /// The most connections to `PostgreSQL`.
    pub connections: usize,
}

impl DatabaseConfig {
    /// Whether several processes can use it.
    #[must_use]
    pub fn is_shared(&self) -> bool {
        self.url.is_server()
    }
}

/// `[keys]`
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct KeysConfig {
    /// The key that encrypts the stored keys: 32 bytes in base64, or empty.
    pub encryption_key: Secret,
    /// The previous key, during a rotation; or empty.
    pub previous_encryption_key: Secret,
}

/// `[auth]`
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct AuthConfig {
    /// Empty for none.
    pub bootstrap_email: String,
    /// Empty for none.
    pub bootstrap_password: Secret,
    /// The lifetime of an access token.
    pub session_ttl: Span,
    /// The lifetime of a refresh token.
    pub refresh_ttl: Span,
    /// The memory of one password hash, in KiB.
    pub password_memory_kib: u32,
    /// The passes of one password hash.
    pub password_passes: u32,
    /// The lifetime of a token that a pipeline got for its identity.
    pub trusted_publishing_ttl: Span,
    /// Whether issuers may be at addresses that are not on the public internet.
    pub allow_private_issuers: bool,
}

/// `[approvals]`
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ApprovalsConfig {
    /// How long a request can be approved.
    pub expire_after: Span,
    /// How long a user who was added or changed by someone else cannot approve.
    pub new_approvers_wait: Span,
}

/// `[downloads]`
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct DownloadsConfig {
    /// Whether clients download from the S3 server directly.
    pub mode: DownloadMode,
    /// How long after it was issued a link can start a download.
    pub url_ttl: Span,
    /// Threads that read files.
    pub threads: usize,
}

/// `[checks]`
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ChecksConfig {
    /// When a program should check again.
    pub next_check_after: Span,
    /// How often sightings are written to the database.
    pub sightings_every: Span,
}

/// `[runs]`
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct RunsConfig {
    /// How long a run that has begun to install may be silent before it counts as lost.
    pub lost_after: Span,
}

/// `[log]`
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct LogConfig {
    /// A filter in the syntax of `tracing`.
    pub filter: String,
    pub format: LogFormat,
}

/// The form of log lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// For people.
    Text,
    /// For machines: one JSON object per line.
    Json,
}

/// A text that is never shown.
#[derive(Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// The text itself.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }

    const fn shown(&self) -> &'static str {
        if self.0.is_empty() { "" } else { "(hidden)" }
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.shown())
    }
}

impl Serialize for Secret {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.shown())
    }
}

/// A length of time: `90s`, `15m`, `6h`, `1h 30m`, or ISO 8601 such as `PT15M`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span(pub Duration);

impl Span {
    /// The length in whole seconds.
    #[must_use]
    pub fn seconds(self) -> i64 {
        i64::try_from(self.0.as_secs()).unwrap_or(i64::MAX)
    }

    /// The length as jiff's type.
    #[must_use]
    pub fn signed(self) -> jiff::SignedDuration {
        jiff::SignedDuration::try_from(self.0).unwrap_or(jiff::SignedDuration::MAX)
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let length = text.parse::<jiff::SignedDuration>().ok().and_then(|length| Duration::try_from(length).ok());
        length.filter(|length| !length.is_zero()).map(Self).ok_or_else(|| {
            serde::de::Error::custom(format!(
                "`{text}` is not a valid length of time; expected for example `90s`, `15m` or `6h`"
            ))
        })
    }
}

impl Serialize for Span {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let length = jiff::SignedDuration::try_from(self.0).unwrap_or(jiff::SignedDuration::MAX);
        serializer.collect_str(&format_args!("{length:#}"))
    }
}

/// Resolves variables that end in `_FILE` to the content of a file, the way in which Docker and systemd pass secrets:
/// `SLUICE__KEYS__ENCRYPTION_KEY_FILE=/run/secrets/sluice`.
fn with_files_read(variables: impl Iterator<Item = (String, String)>) -> Result<HashMap<String, String>, ConfigError> {
    let mut read: HashMap<_, _> = variables.collect();
    let named: Vec<String> = read.keys().filter(|name| name.ends_with("_FILE")).cloned().collect();
    for name in named {
        let Some(path) = read.remove(&name) else { continue };
        let text = std::fs::read_to_string(&path)
            .map_err(|error| ConfigError(format!("{name}: cannot read the file `{path}`: {error}")))?;
        let setting = name.strip_suffix("_FILE").unwrap_or_default().to_owned();
        // Editors end a file with a line break, which is not part of the secret.
        let text = text.trim_end_matches(['\r', '\n']);
        // An empty file would count as a missing key, and leave unencrypted what should be encrypted.
        if text.is_empty() {
            return Err(ConfigError(format!("{name}: the file `{path}` is empty")));
        }
        if read.insert(setting.clone(), text.to_owned()).is_some() {
            return Err(ConfigError(format!("{setting} and {name} are both set; remove one of them")));
        }
    }
    Ok(read)
}

/// What is wrong with the configuration: the source, the key, and what is expected.
#[derive(Debug, thiserror::Error)]
#[error("configuration: {0}")]
pub struct ConfigError(String);

impl Config {
    /// Reads the configuration. `file` must exist if it is given; otherwise `sluice.toml` in the working folder is read
    /// if it exists.
    pub fn load(file: Option<&Path>) -> Result<Self, ConfigError> {
        let texts =
            std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
        Self::load_with(file, texts.collect())
    }

    fn load_with(file: Option<&Path>, environment: HashMap<String, String>) -> Result<Self, ConfigError> {
        let source = match file {
            Some(path) => config::File::from(path).format(config::FileFormat::Toml).required(true),
            None => config::File::new("sluice.toml", config::FileFormat::Toml).required(false),
        };
        let variables = with_files_read(environment.into_iter().filter(|(name, _)| name.starts_with("SLUICE__")))?;
        let read = config::Config::builder()
            .add_source(config::File::from_str(DEFAULTS, config::FileFormat::Toml))
            .add_source(source)
            .add_source(
                config::Environment::with_prefix("SLUICE")
                    .prefix_separator("__")
                    .separator("__")
                    .source(Some(variables)),
            )
            .build()
            .map_err(|error| ConfigError(explain(&error, None)))?;
        let read: Self = read.clone().try_deserialize().map_err(|error| ConfigError(explain(&error, Some(&read))))?;
        read.check()?;
        Ok(read)
    }

    /// Checks what the types cannot express.
    fn check(&self) -> Result<(), ConfigError> {
        self.database_url()?;
        self.stores()?;
        self.public_url(self.server.bind)?;
        let refuse = |text: &str| Err(ConfigError(text.to_owned()));
        if self.auth.bootstrap_email.is_empty() != self.auth.bootstrap_password.reveal().is_empty() {
            return refuse("auth.bootstrap_email and auth.bootstrap_password go together; set both or neither");
        }
        if self.server.bind.ip().is_unspecified() && self.server.public_url.is_empty() {
            return refuse(
                "server.public_url is required when server.bind is not one address, because it is part of every link; expected for example `https://updates.example.com`",
            );
        }
        let AuthConfig { session_ttl, refresh_ttl, .. } = self.auth;
        let spans = [self.downloads.url_ttl, self.checks.next_check_after, session_ttl, refresh_ttl];
        if spans.iter().chain([&self.approvals.expire_after]).any(|span| span.seconds() < 1) {
            return refuse(
                "downloads.url_ttl, checks.next_check_after, auth.session_ttl, auth.refresh_ttl and approvals.expire_after must be at least one second",
            );
        }
        if self.keys.encryption_key.reveal().is_empty() && !self.keys.previous_encryption_key.reveal().is_empty() {
            return refuse("keys.previous_encryption_key needs keys.encryption_key, the key that replaces it");
        }
        if !(1..=30 * 60).contains(&self.auth.trusted_publishing_ttl.seconds()) {
            return refuse("auth.trusted_publishing_ttl must be one second to 30 minutes");
        }
        if let Some(fault) = self.mail.fault() {
            return Err(ConfigError(fault));
        }
        if let Some(fault) = self.single_sign_on.fault() {
            return refuse(fault);
        }
        // One connection for the current write, one for reads.
        if self.database.connections < 2 {
            return refuse("database.connections must be at least 2");
        }
        if self.downloads.threads == 0 {
            return refuse("downloads.threads must be at least 1");
        }
        if self.auth.password_memory_kib < 8 || self.auth.password_passes == 0 {
            return refuse("auth.password_memory_kib must be at least 8 and auth.password_passes at least 1");
        }
        Ok(())
    }

    /// The URL of the database: `sqlite:PATH`, or a `PostgreSQL` URL, which may contain a password.
    ///
    /// # Errors
    /// When `database.url` has another form.
    pub fn database_url(&self) -> Result<String, ConfigError> {
        self.database_url_of("database.url", &self.database.url)
    }

    /// The same for a URL that was given elsewhere, as `name`.
    pub fn database_url_of(&self, name: &str, given: &PrivateUrl) -> Result<String, ConfigError> {
        let url = given.reveal();
        if !given.is_server() {
            let takes = "`sqlite:PATH` or `postgres://USER@HOST/NAME`";
            let path = self.path_of(name, url, "sqlite:", "sluice.sqlite3", takes)?;
            return Ok(format!("sqlite:{}", path.display()));
        }
        if let Some(fault) = given.fault() {
            return Err(ConfigError(format!("{name}: `{}` {fault}", given.shown())));
        }
        if self.keys.encryption_key.reveal().is_empty() {
            return Err(ConfigError(
                "keys.encryption_key is required with PostgreSQL, which stores the signing keys of all replicas; create one with `openssl rand -base64 32`, and keep it: what it encrypted cannot be read without it"
                    .to_owned(),
            ));
        }
        Ok(url.to_owned())
    }

    fn path_of(&self, key: &str, url: &str, scheme: &str, default: &str, takes: &str) -> Result<PathBuf, ConfigError> {
        if url.is_empty() {
            return Ok(self.data.folder.join(default));
        }
        match url.strip_prefix(scheme) {
            // `sqlite://data/x` would be ambiguous: `/data/x` or `data/x`. `:memory:` stores nothing.
            Some(path) if !path.is_empty() && !path.starts_with("//") && !path.starts_with(':') => {
                Ok(PathBuf::from(path))
            }
            // The URL may contain a password, so only its scheme is shown.
            _ => Err(ConfigError(format!(
                "{key}: `{}…` is not supported; expected {takes}",
                url.split_once(':').map_or("", |(scheme, _)| scheme)
            ))),
        }
    }

    /// The address in links, without a slash at its end; `bound` is where the server listens.
    ///
    /// # Errors
    /// When `server.public_url` is not an http or https URL.
    pub fn public_url(&self, bound: std::net::SocketAddr) -> Result<String, ConfigError> {
        let written = &self.server.public_url;
        if written.is_empty() {
            return Ok(format!("http://{bound}"));
        }
        let usable = url::Url::parse(written).is_ok_and(|url| {
            matches!(url.scheme(), "http" | "https")
                && url.has_host()
                && url.query().is_none()
                && url.fragment().is_none()
                && url.username().is_empty()
        });
        if usable {
            Ok(written.trim_end_matches('/').to_owned())
        } else {
            Err(ConfigError(format!("server.public_url: `{written}` should be like `https://updates.example.com`")))
        }
    }
}

/// The error in one line, with the key, its value, and its source.
fn explain(error: &config::ConfigError, read: Option<&config::Config>) -> String {
    let mut line = error.to_string().replace('\n', " ");
    let key = line.split_once("for key `").and_then(|(_, rest)| rest.split('`').next());
    // Secrets are texts, and every text is valid as one, so a secret is never shown here.
    if let Some(value) = key.zip(read).and_then(|(key, read)| read.get_string(key).ok())
        && !line.contains(&value)
    {
        line = format!("`{value}`: {line}");
    }
    match line.split_once("unknown field `") {
        Some((_, rest)) => {
            let name = rest.split('`').next().unwrap_or_default();
            format!("unknown key `{name}`; `sluice config --defaults` lists all keys ({line})")
        }
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(variables: &[(&str, &str)]) -> Result<Config, ConfigError> {
        Config::load_with(
            None,
            variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        )
    }

    #[test]
    fn the_defaults_are_valid_and_the_environment_goes_before_them() {
        let config = load(&[
            ("SLUICE__SERVER__BIND", "127.0.0.2:1234"),
            ("SLUICE__DOWNLOADS__URL_TTL", "90s"),
            ("SLUICE__DOWNLOADS__THREADS", "3"),
            ("SLUICE__MAIL__STAFF", "anna@vendor.example, bert@vendor.example"),
            ("SLUICE__MAIL__ENDING_DAYS", "14,2"),
        ])
        .expect("a configuration");
        assert_eq!(config.server.bind.port(), 1234);
        assert_eq!(config.downloads.url_ttl.seconds(), 90);
        assert_eq!(config.downloads.threads, 3);
        assert_eq!(config.mail.staff.0, ["anna@vendor.example", "bert@vendor.example"]);
        assert_eq!(config.mail.ending_days.0, [14, 2]);
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (name, value, expected) in [
            ("SLUICE__SERVER__BNID", "x", "bnid"),
            ("SLUICE__SEVER__BIND", "x", "sever"),
            ("SLUICE__SERVER__BIND", "nowhere", "bind"),
            ("SLUICE__DOWNLOADS__URL_TTL", "soon", "soon"),
            ("SLUICE__SERVER__PUBLIC_URL", "ftp://x", "server.public_url"),
            ("SLUICE__DATABASE__URL", "mysql://user:hunter2@x/y", "database.url"),
            ("SLUICE__DATABASE__URL", "sqlite://data/x", "database.url"),
            ("SLUICE__DATABASE__URL", "sqlite::memory:", "database.url"),
            ("SLUICE__DATABASE__URL", "postgres://anna:hunter2@x@y/z", "%40"),
            ("SLUICE__DATABASE__CONNECTIONS", "1", "database.connections"),
            ("SLUICE__SERVER__BIND", "0.0.0.0:8080", "server.public_url"),
            ("SLUICE__CHECKS__NEXT_CHECK_AFTER", "5ms", "checks.next_check_after"),
            ("SLUICE__AUTH__BOOTSTRAP_EMAIL", "a@example.com", "auth.bootstrap_password"),
            ("SLUICE__STORAGE__URL", "gs://key:hunter2@x", "storage.url"),
            ("SLUICE__STORAGE__URL", "s3://key:hunter2@x", "storage.url"),
            ("SLUICE__STORAGE__URL", "s3://updates", "storage.region"),
            ("SLUICE__DOWNLOADS__MODE", "carrier", "carrier"),
            ("SLUICE__AUTH__TRUSTED_PUBLISHING_TTL", "31m", "auth.trusted_publishing_ttl"),
            ("SLUICE__MAIL__SMTP_URL", "http://user:hunter2@x", "mail.smtp_url"),
            ("SLUICE__MAIL__SMTP_URL", "smtp://user:hunter2@x", "tls=required"),
            ("SLUICE__MAIL__SMTP_URL", "smtp://user@x?tls=opportunistic", "tls=required"),
            ("SLUICE__MAIL__SMTP_URL", "smtp://user:hunter2@x?tls=required&tls=none", "tls=required"),
            ("SLUICE__MAIL__SMTP_URL", "smtp://user:hunter2@x?tls=required", "mail.from"),
            ("SLUICE__MAIL__SMTP_URL", "smtps://user:hunter2@x", "mail.from"),
            ("SLUICE__MAIL__SMTP_URL", "smtp://user:hunter2@[::1]:25", "mail.from"),
            ("SLUICE__MAIL__SMTP_URL", "smtp://user:hunter2@localhost", "mail.from"),
            ("SLUICE__MAIL__ENDING_DAYS", "30,soon", "soon"),
            ("SLUICE__MAIL__ENDING_DAYS", "4000", "mail.ending_days"),
            ("SLUICE__WEBHOOKS__TIMEOUT", "soon", "soon"),
            ("SLUICE__KEYS__PREVIOUS_ENCRYPTION_KEY", "hunter2", "keys.encryption_key"),
            ("SLUICE__SINGLE_SIGN_ON__ROLES", "admins=king", "king"),
            ("SLUICE__SINGLE_SIGN_ON__PASSWORD_LOGIN", "false", "single_sign_on.issuer"),
            ("SLUICE__SINGLE_SIGN_ON__ISSUER", "https://login.example.com", "single_sign_on.client_id"),
        ] {
            let error = load(&[(name, value)]).expect_err(name).to_string();
            assert!(error.contains(expected), "{name}: {error}");
            assert!(!error.contains('\n') && !error.contains("hunter2"), "{error}");
        }
    }

    #[test]
    fn a_setting_can_be_handed_over_in_a_file() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("password");
        std::fs::write(&path, "hunter2\n").expect("a file");
        let file = ("SLUICE__AUTH__BOOTSTRAP_PASSWORD_FILE", path.to_str().expect("a path"));
        let email = ("SLUICE__AUTH__BOOTSTRAP_EMAIL", "a@example.com");
        assert_eq!(load(&[email, file]).expect("a configuration").auth.bootstrap_password.reveal(), "hunter2");
        let both = load(&[email, file, ("SLUICE__AUTH__BOOTSTRAP_PASSWORD", "other")]).expect_err("two").to_string();
        assert!(both.contains("remove one of them") && !both.contains("hunter2"), "{both}");
        std::fs::write(&path, "\n").expect("a file");
        assert!(load(&[email, file]).expect_err("nothing").to_string().contains("is empty"));
        let away = load(&[email, ("SLUICE__AUTH__BOOTSTRAP_PASSWORD_FILE", "/nowhere")]).expect_err("none").to_string();
        assert!(away.contains("PASSWORD_FILE") && away.contains("/nowhere"), "{away}");
    }

    #[test]
    fn secrets_are_not_shown() {
        let config = load(&[
            ("SLUICE__AUTH__BOOTSTRAP_EMAIL", "a@example.com"),
            ("SLUICE__AUTH__BOOTSTRAP_PASSWORD", "12345678"),
            ("SLUICE__DATABASE__URL", "postgres://anna:12345678@db.example/sluice"),
            ("SLUICE__KEYS__ENCRYPTION_KEY", "12345678"),
            ("SLUICE__MAIL__SMTP_URL", "smtp://anna:12345678@mail.example?tls=required"),
            ("SLUICE__MAIL__FROM", "updates@vendor.example"),
            ("SLUICE__SINGLE_SIGN_ON__ISSUER", "http://localhost:8081/realms/staff"),
            ("SLUICE__SINGLE_SIGN_ON__CLIENT_ID", "sluice"),
            ("SLUICE__SINGLE_SIGN_ON__CLIENT_SECRET", "12345678"),
            ("SLUICE__SINGLE_SIGN_ON__ROLES", "sluice-owners=owner, CN=Support=support"),
        ])
        .expect("a configuration");
        assert_eq!(config.database_url().expect("a URL"), "postgres://anna:12345678@db.example/sluice");
        assert_eq!(config.auth.bootstrap_password.reveal(), "12345678");
        assert_eq!(config.single_sign_on.client_secret.reveal(), "12345678");
        assert_eq!(config.single_sign_on.roles.0.len(), 2);
        assert!(!format!("{config:?}").contains("12345678"));
        assert!(!toml::to_string(&config).expect("toml").contains("12345678"));
    }
}
