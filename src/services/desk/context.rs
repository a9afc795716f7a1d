//! What use cases work with, and how they read and write.

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

/// What use cases need of the configuration.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The address that goes into links, without a slash at its end.
    pub public_url: String,
    /// How long a download link is good.
    pub url_ttl: SignedDuration,
    /// How long a content that nothing refers to is kept.
    pub keep_loose: SignedDuration,
    /// Whether clients are sent to the store that has the file, where they can be.
    pub redirects: bool,
    /// When a program should ask again, in seconds.
    pub next_check_after: i64,
    /// How long nothing is heard of a run that has begun to install until it counts as lost.
    pub lost_after: SignedDuration,
    /// How long an access token is good.
    pub session_ttl: SignedDuration,
    /// How long a refresh token is good.
    pub refresh_ttl: SignedDuration,
    /// How long a token is good that a pipeline was given for its identity.
    pub trusted_publishing_ttl: SignedDuration,
    /// Who of the vendor's staff gets mails; nobody named: the users who have to do with what they are about.
    pub staff: Vec<String>,
    /// How many mails may be sent on a subscription's account within a day.
    pub mails_per_day: u32,
    /// How many failed runs of a subscription webhooks are told of within a day.
    pub messages_per_day: u32,
    /// How many days before the end of a subscription staff are told.
    pub ending_days: Vec<u16>,
    /// How long something can be approved.
    pub approvals_expire_after: SignedDuration,
    /// How long somebody whom another person has entered or changed approves nothing.
    pub new_approvers_wait: SignedDuration,
}

/// The adapters, composed. What only one area remembers is not here: its use cases are handed it.
pub struct Context {
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// The database.
    pub store: Store,
    /// The read model.
    pub directory: Directory,
    /// The contents of artifacts.
    pub artifacts: Artifacts,
    /// Links, fingerprints and signatures. Another replica may take others into use.
    pub keys: ArcSwap<KeyRing>,
    /// Access tokens, under keys of the same ring.
    pub sessions: ArcSwap<Sessions>,
    /// Passwords.
    pub passwords: Passwords,
    /// Who verifies the tokens of other issuers.
    pub issuers: Issuers,
    /// Who sends mails; nobody where no SMTP server is configured.
    pub mailer: Option<Mailer>,
    /// Who sends messages to webhooks.
    pub poster: Poster,
    /// Those who empty the outbox are woken by it.
    pub outbox_filled: watch::Sender<()>,
    /// From the configuration.
    pub settings: Settings,
}

impl std::fmt::Debug for Context {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Context")
    }
}

/// A write under way: the connection in its transaction, the time, and what has been changed so far.
pub struct Write<'c> {
    /// The connection, in the transaction.
    pub connection: &'c mut Connection,
    /// The moment of the write.
    pub now: Timestamp,
    /// Who writes.
    pub actor: &'c Actor,
    /// What is told of with it.
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

    /// The adapters.
    pub(in crate::services) const fn context(&self) -> &'c Context {
        self.context
    }

    /// Notes what a check must know of once the write is committed.
    pub fn changed(&mut self, change: Change) {
        if self.seen.insert(change) {
            self.changes.push(change);
        }
    }

    /// Has a change remembered in the audit log, if the write is committed.
    pub fn record(&mut self, record: Record) {
        self.records.push(record);
    }

    /// Writes a line to the log once the write is committed; never, if it is rolled back or only rehearsed. `line` calls one of
    /// the macros of `tracing`.
    pub fn say(&mut self, line: impl FnOnce() + Send + 'static) {
        self.log.add(line);
    }

    /// The log lines that wait for the commit.
    pub(in crate::services) const fn log(&mut self) -> &mut LogLines {
        &mut self.log
    }

    /// How much was remembered.
    pub(in crate::services) fn recorded(&self) -> usize {
        self.records.len()
    }

    /// What was remembered after so much.
    pub(in crate::services) fn records_after(&mut self, count: usize) -> impl Iterator<Item = &mut Record> {
        self.records.iter_mut().skip(count)
    }

    /// Tries what could be done, and leaves no trace of it.
    pub(in crate::services) fn rehearse<T>(
        &mut self,
        work: impl FnOnce(&mut Write<'_>) -> Result<T, Refusal>,
    ) -> Result<T, Refusal> {
        let (context, actor, now) = (self.context, self.actor, self.now);
        store::rehearse(self.connection, |connection| work(&mut Write::new(context, connection, actor, now)))
    }

    /// What was remembered last.
    pub(in crate::services) fn last_record(&mut self) -> Option<&mut Record> {
        self.records.last_mut()
    }

    /// A new id, in the order of time (RFC 9562, version 7).
    #[must_use]
    pub fn new_id<T: From<Uuid>>(&self) -> T {
        T::from(id_at(self.now))
    }
}

/// A new `UUIDv7` for a moment.
#[must_use]
pub fn id_at(now: Timestamp) -> Uuid {
    let milliseconds = u64::try_from(now.as_millisecond()).unwrap_or(0);
    uuid::Builder::from_unix_timestamp_millis(milliseconds, &signing::random()).into_uuid()
}

/// Reads back what was changed, in the transaction that changed it.
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

/// A change as the log has it.
fn entry(change: Change) -> Entry {
    let (kind, first, second) = match change {
        Change::Product(id) => ("product", id.0, None),
        Change::Release(product, id) => ("release", product.0, Some(id.0)),
        Change::HostingGroup(id) => ("hosting_group", id.0, None),
        Change::Subscription(id) => (SUBSCRIPTION, id.0, None),
    };
    Entry { kind: kind.to_owned(), first, second }
}

/// A change that the log has; `None` for one that this version does not know.
pub(in crate::services) fn change(entry: &Entry) -> Option<Change> {
    Some(match (entry.kind.as_str(), entry.second) {
        ("product", _) => Change::Product(entry.first.into()),
        ("release", Some(id)) => Change::Release(entry.first.into(), id.into()),
        ("hosting_group", _) => Change::HostingGroup(entry.first.into()),
        (SUBSCRIPTION, _) => Change::Subscription(entry.first.into()),
        _ => return None,
    })
}

/// Whoever reads or reports is told after this long that the database does not answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// Runs work on a thread that may block.
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
    /// Takes these keys into use.
    pub fn use_keys(&self, ring: KeyRing) {
        self.sessions.store(Arc::new(Sessions::new(ring.session_secrets())));
        self.keys.store(Arc::new(ring));
    }

    /// Runs `work` in a transaction. When it is committed, the directory knows of every change before this returns,
    /// and before any later write begins. It goes on to its end when the caller goes away.
    ///
    /// # Errors
    /// What `work` refused, or that the database cannot be used; nothing has changed then.
    pub async fn write<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&mut Write<'_>) -> Result<T, Refusal> + Send + 'static,
    ) -> Result<T, Refusal> {
        let context = Arc::clone(self);
        let acting = acting::acting();
        // However long it takes: an import that was given up on, and then done, would have shown its keys to nobody.
        let done = tokio::task::spawn_blocking(move || context.write_as(&acting, work)).await;
        done.unwrap_or_else(|error| Err(Refusal::internal(&error)))
    }

    fn write_as<T>(
        &self,
        Acting { actor, credential }: &Acting,
        work: impl FnOnce(&mut Write<'_>) -> Result<T, Refusal>,
    ) -> Result<T, Refusal> {
        let in_transaction = |connection: &mut Connection| {
            // Read once it is this write's turn: ids and times then grow in the order of the commits.
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

    /// Wakes those who empty the outbox, once what is in it is committed. It costs next to nothing, so nobody need know whether
    /// there is anything.
    pub fn ring(&self) {
        self.outbox_filled.send_replace(());
    }

    /// Writes what no decision depends on: reports, sightings, last uses. Such writes do not wait for one another, and
    /// `work` is run again when they met.
    ///
    /// # Errors
    /// That the database cannot be used; nothing has changed then.
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
    /// What `work` refused, or that the database cannot be used.
    pub async fn read<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&mut Connection) -> Result<T, Refusal> + Send + 'static,
    ) -> Result<T, Refusal> {
        let context = Arc::clone(self);
        off_the_loop(move || context.store.read(work)).await
    }

    /// Whether the database can be read at this moment.
    pub async fn can_read(self: &Arc<Self>) -> bool {
        let first = |connection: &mut Connection| Ok(store::settings::get(connection, LICENSE_SECRET)?);
        self.read(first).await.is_ok()
    }
}

/// What a caller expects a thing to be before it is changed: the `If-Match` of HTTP (RFC 9110, section 13.1.1).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Expected {
    /// Nothing in particular.
    #[default]
    Anything,
    /// One of these revisions.
    Revisions(Vec<i64>),
}

impl Expected {
    /// Fails unless the revision is one of those expected.
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
