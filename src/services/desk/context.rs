//! The context of all use cases, and how they read and write.

use std::{collections::HashSet, sync::Arc, time::Duration};

use arc_swap::ArcSwap;
use jiff::{SignedDuration, Timestamp};
use tokio::sync::watch;
use uuid::Uuid;

use crate::{
    artifacts::Artifacts,
    auth::{issuer::Issuers, password::Passwords, session::Sessions},
    clock::Clock,
    directory::{Change, Directory, Loaded},
    domain::{actor::Actor, audit::Record},
    mail::Mailer,
    services::desk::{
        acting::{self, Acting},
        audit,
        log_lines::LogLines,
        outbox::Outbox,
        refusal::{Code, Refusal},
    },
    signing::{self, KeyRing},
    store::{
        self, Connection, Store, StoreError,
        changes::{Entry, SUBSCRIPTION},
        settings::LICENSE_SECRET,
    },
    webhook::Poster,
};

/// The settings that use cases need from the configuration.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The base URL of links, without a slash at its end.
    pub public_url: String,
    /// How long after its issue a download link can start a download.
    pub url_ttl: SignedDuration,
    /// How long an unreferenced content is kept.
    pub keep_loose: SignedDuration,
    /// Whether downloads are redirected to the artifact store where it can serve them.
    pub redirects: bool,
    /// The time until a program should check again, in seconds.
    pub next_check_after: i64,
    /// How long a run that began to install may be silent before it counts as lost.
    pub lost_after: SignedDuration,
    /// How long an access token is valid.
    pub session_ttl: SignedDuration,
    /// How long a refresh token is valid.
    pub refresh_ttl: SignedDuration,
    /// How long a token is valid that a pipeline received for its identity.
    pub trusted_publishing_ttl: SignedDuration,
    /// Recipients of staff mail. Empty: every user with access to the product concerned.
    pub staff: Vec<String>,
    /// The maximum number of mails that updaters can cause for one subscription in 24 hours.
    pub mails_per_day: u32,
    /// The maximum number of failed runs of one subscription that webhooks report in 24 hours.
    pub messages_per_day: u32,
    /// How many days before the end of a subscription staff are informed, once each.
    pub ending_days: Vec<u16>,
    /// How long a request can be approved.
    pub approvals_expire_after: SignedDuration,
    /// How long a user cannot approve after another person has entered or changed their account.
    pub new_approvers_wait: SignedDuration,
}

/// The composed adapters. State that only one area needs is not here: it is passed to the use cases of that area.
pub struct Context {
    pub clock: Arc<dyn Clock>,
    pub store: Store,
    /// The read model that answers checks.
    pub directory: Directory,
    pub artifacts: Artifacts,
    /// The key ring for links, fingerprints and signatures. Another replica can replace it.
    pub keys: ArcSwap<KeyRing>,
    /// The access tokens, under keys of the same ring.
    pub sessions: ArcSwap<Sessions>,
    pub passwords: Passwords,
    /// The verifier of tokens from other issuers.
    pub issuers: Issuers,
    /// `None` if no SMTP server is configured.
    pub mailer: Option<Mailer>,
    /// The sender of webhook messages.
    pub poster: Poster,
    /// Signals the job that empties the outbox.
    pub outbox_filled: watch::Sender<()>,
    pub settings: Settings,
}

impl std::fmt::Debug for Context {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Context")
    }
}

/// A write in progress: the connection in its transaction, the time, and the changes so far.
pub struct Write<'c> {
    /// The connection, within the transaction.
    pub connection: &'c mut Connection,
    /// The time of the write, read once.
    pub now: Timestamp,
    pub actor: &'c Actor,
    /// The mails and webhook messages that the write queues.
    pub outbox: Outbox,
    context: &'c Context,
    changes: Vec<Change>,
    seen: HashSet<Change>,
    records: Vec<Record>,
    log: LogLines,
}

impl<'c> Write<'c> {
    fn new(context: &'c Context, connection: &'c mut Connection, actor: &'c Actor, now: Timestamp) -> Self {
        let outbox = Outbox::default();
        Self {
            connection,
            now,
            actor,
            outbox,
            context,
            changes: Vec::new(),
            seen: HashSet::new(),
            records: Vec::new(),
            log: LogLines::default(),
        }
    }

    /// The context of the write.
    pub(in crate::services) const fn context(&self) -> &'c Context {
        self.context
    }

    /// Notes a change that checks must know of after the commit.
    pub fn changed(&mut self, change: Change) {
        if self.seen.insert(change) {
            self.changes.push(change);
        }
    }

    /// Adds a record to the audit log, if the write is committed.
    pub fn record(&mut self, record: Record) {
        self.records.push(record);
    }

    /// Writes a line to the log after the commit. Writes nothing if the write is rolled back or only rehearsed. `line`
    /// calls one of the macros of `tracing`.
    pub fn say(&mut self, line: impl FnOnce() + Send + 'static) {
        self.log.add(line);
    }

    /// The log lines that wait for the commit.
    pub(in crate::services) const fn log(&mut self) -> &mut LogLines {
        &mut self.log
    }

    /// The number of audit records added so far.
    pub(in crate::services) fn recorded(&self) -> usize {
        self.records.len()
    }

    /// The audit records added since `count`.
    pub(in crate::services) fn records_after(&mut self, count: usize) -> impl Iterator<Item = &mut Record> {
        self.records.iter_mut().skip(count)
    }

    /// Runs `work`, and rolls back all that it did.
    pub(in crate::services) fn rehearse<T>(
        &mut self,
        work: impl FnOnce(&mut Write<'_>) -> Result<T, Refusal>,
    ) -> Result<T, Refusal> {
        let (context, actor, now) = (self.context, self.actor, self.now);
        store::rehearse(self.connection, |connection| work(&mut Write::new(context, connection, actor, now)))
    }

    /// The audit record that was added last.
    pub(in crate::services) fn last_record(&mut self) -> Option<&mut Record> {
        self.records.last_mut()
    }

    /// A new id: a `UUIDv7` (RFC 9562), ordered by time.
    #[must_use]
    pub fn new_id<T: From<Uuid>>(&self) -> T {
        T::from(id_at(self.now))
    }
}

/// A new `UUIDv7` for this time.
#[must_use]
pub fn id_at(now: Timestamp) -> Uuid {
    let milliseconds = u64::try_from(now.as_millisecond()).unwrap_or(0);
    uuid::Builder::from_unix_timestamp_millis(milliseconds, &signing::random()).into_uuid()
}

/// Reads a changed thing back, in the transaction that changed it.
pub(in crate::services) fn load(connection: &mut Connection, change: Change) -> Result<Option<Loaded>, StoreError> {
    Ok(match change {
        Change::Product(id) => match store::products::get(connection, id)? {
            Some(product) => Some(Loaded::Product(
                Box::new(product),
                store::stops::of_product(connection, id)?,
                store::known_problems::of_product(connection, id)?,
            )),
            None => None,
        },
        Change::Release(product, id) => Some(match store::releases::get(connection, id)? {
            Some(release) => Loaded::Release(Box::new(release), store::manifests::newest(connection, id)?),
            None => Loaded::ReleaseGone(product, id),
        }),
        Change::HostingGroup(id) => store::hosting_groups::get(connection, id)?.map(Loaded::HostingGroup),
        Change::Subscription(id) => match store::subscriptions::get(connection, id)? {
            Some(subscription) => {
                Some(Loaded::Subscription(subscription.coverage, store::license_keys::of_subscription(connection, id)?))
            }
            None => None,
        },
    })
}

/// The entry of the change log for a change.
fn entry(change: Change) -> Entry {
    let (kind, first, second) = match change {
        Change::Product(id) => ("product", id.0, None),
        Change::Release(product, id) => ("release", product.0, Some(id.0)),
        Change::HostingGroup(id) => ("hosting_group", id.0, None),
        Change::Subscription(id) => (SUBSCRIPTION, id.0, None),
    };
    Entry { kind: kind.to_owned(), first, second }
}

/// The change of an entry in the change log; `None` for a kind that this version does not know.
pub(in crate::services) fn change(entry: &Entry) -> Option<Change> {
    Some(match (entry.kind.as_str(), entry.second) {
        ("product", _) => Change::Product(entry.first.into()),
        ("release", Some(id)) => Change::Release(entry.first.into(), id.into()),
        ("hosting_group", _) => Change::HostingGroup(entry.first.into()),
        (SUBSCRIPTION, _) => Change::Subscription(entry.first.into()),
        _ => return None,
    })
}

/// How long a read or a report waits for the database before it is refused with `storage_unavailable`.
const PATIENCE: Duration = Duration::from_secs(30);

/// Runs blocking work on a thread that may block. The caller waits for at most [`PATIENCE`].
async fn off_the_loop<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Refusal> + Send + 'static,
) -> Result<T, Refusal> {
    match tokio::time::timeout(PATIENCE, tokio::task::spawn_blocking(work)).await {
        Ok(Ok(done)) => done,
        Ok(Err(error)) => Err(Refusal::internal(&error)),
        Err(_) => Err(StoreError::Unavailable(format!("it has not answered for {} s", PATIENCE.as_secs())).into()),
    }
}

impl Context {
    /// Replaces the key ring, and the access tokens with it.
    pub fn use_keys(&self, ring: KeyRing) {
        self.sessions.store(Arc::new(Sessions::new(ring.session_secrets())));
        self.keys.store(Arc::new(ring));
    }

    /// Runs `work` in a transaction. After the commit, the directory knows every change before this returns and before
    /// a later write begins. The write continues to its end when the caller goes away.
    ///
    /// # Errors
    /// The refusal of `work`, or that the database cannot be used; nothing has changed then.
    pub async fn write<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&mut Write<'_>) -> Result<T, Refusal> + Send + 'static,
    ) -> Result<T, Refusal> {
        let context = Arc::clone(self);
        let acting = acting::acting();
        // Without a time limit: an import that was given up and then committed would have shown its license keys to
        // nobody.
        let done = tokio::task::spawn_blocking(move || context.write_as(&acting, work)).await;
        done.unwrap_or_else(|error| Err(Refusal::internal(&error)))
    }

    fn write_as<T>(
        &self,
        Acting { actor, credential }: &Acting,
        work: impl FnOnce(&mut Write<'_>) -> Result<T, Refusal>,
    ) -> Result<T, Refusal> {
        let in_transaction = |connection: &mut Connection| {
            // Read when it is this write's turn, so that ids and times grow in the order of the commits.
            let now = self.clock.now();
            if let Some(credential) = credential {
                credential.check(connection)?;
            }
            let mut write = Write::new(self, connection, actor, now);
            let value = work(&mut write)?;
            write.outbox.flush(write.connection)?;
            audit::append(write.connection, &self.keys.load(), actor, &write.records, now)?;
            let mut loaded = Vec::new();
            let changes = std::mem::take(&mut write.changes);
            for change in &changes {
                loaded.extend(load(write.connection, *change)?);
            }
            let entries: Vec<_> = changes.into_iter().map(entry).collect();
            store::changes::append(write.connection, &entries, now)?;
            let mut log = std::mem::take(&mut write.log);
            log.append(std::mem::take(&mut write.outbox.log));
            Ok::<_, Refusal>(((value, log), loaded))
        };
        let (value, log) = self.store.write(in_transaction, |loaded| self.directory.apply(loaded))?;
        self.ring();
        log.write();
        Ok(value)
    }

    /// Wakes the job that empties the outbox; to be called after the commit. It costs next to nothing, so callers need
    /// not check whether the outbox has anything.
    pub fn ring(&self) {
        self.outbox_filled.send_replace(());
    }

    /// Writes data on which no decision depends: reports, sightings, last uses. Such writes run concurrently, and
    /// `work` is repeated after a conflict. Nothing has changed if the database cannot be used.
    pub async fn append<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl Fn(&mut Connection, Timestamp) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, Refusal> {
        let context = Arc::clone(self);
        let in_transaction = move || context.store.append(|connection| work(connection, context.clock.now()));
        off_the_loop(in_transaction).await
    }

    /// Runs queries on a thread that may block.
    ///
    /// # Errors
    /// The refusal of `work`, or that the database cannot be used.
    pub async fn read<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&mut Connection) -> Result<T, Refusal> + Send + 'static,
    ) -> Result<T, Refusal> {
        let context = Arc::clone(self);
        off_the_loop(move || context.store.read(work)).await
    }

    /// Whether the database can be read now.
    pub async fn can_read(self: &Arc<Self>) -> bool {
        let first = |connection: &mut Connection| Ok(store::settings::get(connection, LICENSE_SECRET)?);
        self.read(first).await.is_ok()
    }
}

/// The revision that a caller expects before a change: the `If-Match` of HTTP (RFC 9110, section 13.1.1).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Expected {
    #[default]
    Anything,
    Revisions(Vec<i64>),
}

impl Expected {
    /// Fails unless the revision is one of the expected ones.
    ///
    /// # Errors
    /// `precondition_failed`.
    pub fn check(&self, revision: i64) -> Result<(), Refusal> {
        match self {
            Self::Revisions(expected) if !expected.contains(&revision) => Err(Refusal::new(
                Code::PreconditionFailed,
                format!("it has changed since it was read; its ETag is now \"{revision}\""),
            )),
            _ => Ok(()),
        }
    }
}
