//! Adds a whole vendor at once, under given ids: first the contents of its files, then all rows in one transaction.
//! Each thing goes through the use case that would add it alone.

use std::{collections::HashSet, sync::Arc};

use bytes::Bytes;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};

use crate::{
    artifacts::intake::{IntakeError, Received},
    domain::{
        actor::{Actor, ActorKind},
        approval::ApprovalAction,
        artifact::Sha256,
        id::{
            ApprovalId, ArtifactId, CustomerId, HostingGroupId, KnownProblemId, LicenseKeyId, ProductId, ReleaseId,
            SubscriptionId, TokenId, TrustedPublisherId, UserId, WebhookId,
        },
        installation::Sighting,
        known_problem,
        mail::Mail,
        page::Page,
        reach::Reach,
        role::Role,
        run::Run,
        slug::Slug,
        version::Version,
        webhook_message::WebhookMessage,
    },
    services::{
        desk::{Context, Expected, Refusal, Write, context::id_at, lookup},
        field::{
            figures,
            known_problems::{self, NewKnownProblem},
            sightings,
        },
        people::{
            authentication::Authentication,
            log_in, passwords,
            tokens::{self, NewToken},
            trust::{self, NewTrustedPublisher},
            users,
        },
        releasing::{
            products::{self, NewProduct},
            publish_release::{self, NewRelease, Publication},
            release,
            steer_release::{self, Steer},
            store_artifact::{self, Content, Upload},
        },
        second_person::{self, Requester},
        selling::{
            customers::{self, NewCustomer},
            hosting_groups::{self, NewHostingGroup},
            license_keys,
            subscriptions::{self, Action, Ids, NewSubscription},
        },
        telling::webhooks::{self, NewWebhook},
    },
    store::{self, offers::Offer, users::User},
};

/// The number of contents stored at once. Storing one mostly waits for the disk, which syncs many together in hardly
/// more time than one.
const AT_ONCE: usize = 64;

/// Everything about a vendor.
#[derive(Debug, Default)]
pub struct Vendor {
    /// The e-mail address and the password of the first administrator.
    pub administrator: Option<(String, String)>,
    /// Further users, who get the password of the first administrator.
    pub colleagues: Vec<(UserId, String, Role)>,
    pub products: Vec<(ProductId, NewProduct)>,
    pub hosting_groups: Vec<(HostingGroupId, NewHostingGroup)>,
    pub releases: Vec<SeedRelease>,
    pub approvals: Vec<SeedApproval>,
    pub customers: Vec<(CustomerId, NewCustomer)>,
    pub subscriptions: Vec<SeedSubscription>,
    pub known_problems: Vec<(KnownProblemId, NewKnownProblem)>,
    /// Trusted publishers, with the slug of their product.
    pub trusted_publishers: Vec<(TrustedPublisherId, Slug, NewTrustedPublisher)>,
    /// API tokens, with the token in clear text.
    pub tokens: Vec<(TokenId, String, NewToken)>,
    pub sightings: Vec<Sighting>,
    pub runs: Vec<Run>,
    /// Webhooks. They receive only later events.
    pub webhooks: Vec<(WebhookId, NewWebhook)>,
    /// Past messages to webhooks.
    pub messages: Vec<WebhookMessage>,
    /// Past mails.
    pub mails: Vec<Mail>,
}

/// A release with its files and its history.
#[derive(Debug)]
pub struct SeedRelease {
    pub id: ReleaseId,
    pub product: Slug,
    pub new: NewRelease,
    pub files: Vec<SeedFile>,
    /// `None` leaves the release a draft.
    pub publication: Option<Publication>,
    /// The actions after the publication, in order.
    pub steered: Vec<Steer>,
}

/// An approval request of a colleague about a release.
#[derive(Debug)]
pub struct SeedApproval {
    pub id: ApprovalId,
    /// The user who asks, with their e-mail address.
    pub requester: (UserId, String),
    pub product: Slug,
    /// The version of the release.
    pub version: Version,
    pub deed: ApprovalAction,
    /// The body of the original request.
    pub parameters: serde_json::Value,
}

/// A file of a release, with its content.
#[derive(Debug)]
pub struct SeedFile {
    pub id: ArtifactId,
    /// The description; `announced` must have the hash of the content.
    pub upload: Upload,
    /// The bytes of the file. Files can share one content.
    pub content: Bytes,
}

/// A subscription with its license keys and its history.
#[derive(Debug)]
pub struct SeedSubscription {
    pub id: SubscriptionId,
    /// The id of the first license key. The key itself is in `new`, or is generated.
    pub license_key: LicenseKeyId,
    pub new: NewSubscription,
    /// Further license keys that customers use.
    pub more_keys: Vec<(LicenseKeyId, String)>,
    /// The actions of staff on the subscription, in order.
    pub actions: Vec<Action>,
}

/// Whether the database has no product, no customer and no user.
pub async fn is_empty(context: &Arc<Context>) -> Result<bool, Refusal> {
    let first = Page { after: None, limit: 1 };
    context
        .read(move |connection| {
            Ok(!store::users::exist(connection)?
                && store::products::all(connection)?.is_empty()
                && store::customers::matching(connection, None, &Reach::Everything, first)?.is_empty())
        })
        .await
}

/// Adds a vendor. After an error nothing of it is there, except for contents, which the sweep removes.
///
/// # Errors
/// The refusal of the use case that adds one of its things; the text names the thing.
pub async fn seed(context: &Arc<Context>, authentication: &Authentication, mut vendor: Vendor) -> Result<(), Refusal> {
    let administrator = vendor.administrator.take();
    let hashed = async {
        Ok(match administrator {
            Some((email, password)) => Some((email, passwords::hash(context, authentication, password).await?)),
            None => None,
        })
    };
    let (administrator, received) = futures_util::try_join!(hashed, receive(context, &vendor))?;
    let contents: HashSet<_> = received.iter().map(|received| Some(received.sha256)).collect();
    let mut files = vendor.releases.iter().flat_map(|release| &release.files);
    if let Some(other) = files.find(|file| !contents.contains(&file.upload.announced)) {
        return Err(Refusal::internal(&format!("the content of {} is not the one announced", other.upload.filename)));
    }
    let _shelf = context.artifacts.shelf().await;
    let place = |received: Received| async move { context.artifacts.place(&received).await };
    stream::iter(received).map(place).buffer_unordered(AT_ONCE).try_collect::<()>().await?;
    let desk = Arc::clone(context);
    context
        .write(move |write| {
            if let Some((email, password_hash)) = administrator {
                log_in::set_up_within(write, email, password_hash.clone())?;
                for (id, email, role) in std::mem::take(&mut vendor.colleagues) {
                    let colleague = User::new(id, email, Some(password_hash.clone()), role, write.now);
                    users::add_within(write.connection, &colleague)?;
                }
            }
            enter(&desk, write, vendor)
        })
        .await
}

/// Receives each content once, even if files share it.
async fn receive(context: &Arc<Context>, vendor: &Vendor) -> Result<Vec<Received>, Refusal> {
    let mut known: HashSet<Option<Sha256>> = HashSet::new();
    let files = vendor.releases.iter().flat_map(|release| &release.files);
    let contents: Vec<(Option<Sha256>, Bytes)> = files
        .filter(|file| known.insert(file.upload.announced))
        .map(|file| (file.upload.announced, file.content.clone()))
        .collect();
    let receive = |(announced, content): (Option<Sha256>, Bytes)| async move {
        let body = stream::iter([Ok::<_, std::convert::Infallible>(content)]);
        let (store, id) = (context.artifacts.main(), id_at(context.clock.now()));
        context.artifacts.receive(store, id, announced, body).await
    };
    let received = stream::iter(contents).map(receive).buffer_unordered(AT_ONCE).try_collect().await;
    received.map_err(|error| match error {
        IntakeError::Sender(never) => match never {},
        IntakeError::Mismatch(found) => Refusal::internal(&format!("a content is not the one announced: {found}")),
        IntakeError::Store(error) => Refusal::from(error),
    })
}

fn enter(context: &Context, write: &mut Write<'_>, vendor: Vendor) -> Result<(), Refusal> {
    for (id, product) in vendor.products {
        products::add_within(write, id, product)?;
    }
    for (id, group) in vendor.hosting_groups {
        hosting_groups::add_within(write, id, group)?;
    }
    for release in vendor.releases {
        let (slug, version) = (release.product.clone(), release.new.version.clone());
        enter_release(context, write, release).map_err(|refusal| about(refusal, &format!("{slug} {version}")))?;
    }
    for SeedApproval { id, requester: (user, name), product, version, deed, parameters } in vendor.approvals {
        let (product, release) = release::find(write, &product, &version)?;
        let request = second_person::Request::about_release(deed, &product, &release, &parameters)?;
        let actor = Actor { id: Some(user.0), name, ..Actor::nameless(ActorKind::Person) };
        second_person::enter(write, id, &product, request, Requester { actor, person: Some(user) })?;
    }
    for (id, customer) in vendor.customers {
        customers::add_within(write, id, customer)?;
    }
    for subscription in vendor.subscriptions {
        let id = subscription.id;
        enter_subscription(context, write, subscription)
            .map_err(|refusal| about(refusal, &format!("subscription {id}")))?;
    }
    for (id, product, publisher) in vendor.trusted_publishers {
        let product = lookup::product(write.connection, &product)?.id;
        trust::trust_within(write, id, product, None, publisher)?;
    }
    for (id, text, token) in vendor.tokens {
        tokens::add_within(write, id, &text, token)?;
    }
    sightings::take_in(write.connection, &vendor.sightings)?;
    figures::record_within(write.connection, write.now)?;
    for (id, rule) in vendor.known_problems {
        known_problems::add_within(write, id, &Reach::Everything, rule)?;
    }
    for run in vendor.runs {
        enter_run(write, run)?;
    }
    for (id, webhook) in vendor.webhooks {
        webhooks::add_within(write, id, webhook)?;
    }
    store::webhook_messages::queue(write.connection, &vendor.messages)?;
    store::mails::queue(write.connection, &vendor.mails)?;
    Ok(())
}

/// Writes a run as its reports would have left it.
fn enter_run(write: &mut Write<'_>, mut run: Run) -> Result<(), Refusal> {
    let release = store::releases::of_version(write.connection, run.product, &run.to_version)?;
    let release = release.filter(|release| release.was_published_by(run.first_reported_at));
    run.release = release.as_ref().map(|release| release.id);
    run.has_vote = release.is_some() && run.subscription.is_some();
    let site = run.subscription.map_or(run.installation.0, |subscription| subscription.0);
    let offer = run.release.map(|release| Offer { release, site, at: run.first_reported_at });
    store::offers::take_in(write.connection, offer)?;
    let mut rules = store::known_problems::of_product(write.connection, run.product)?;
    known_problem::put_in_order(&mut rules);
    let seen_on = |run: &Run| store::installations::platform(write.connection, run.product, run.installation);
    known_problems::mark(&rules, &mut run, seen_on)?;
    let told = store::runs::take_in(write.connection, vec![run])?;
    store::votes::count(write.connection, &told, write.now)?;
    Ok(())
}

fn about(refusal: Refusal, what: &str) -> Refusal {
    Refusal { detail: format!("{what}: {}", refusal.detail), ..refusal }
}

fn enter_release(context: &Context, write: &mut Write<'_>, release: SeedRelease) -> Result<(), Refusal> {
    let (slug, version) = (release.product, release.new.version.clone());
    publish_release::draft_within(write, release.id, &slug, release.new)?;
    for file in release.files {
        let size = u64::try_from(file.content.len()).unwrap_or(u64::MAX);
        let sha256 = file.upload.announced.ok_or_else(|| Refusal::internal(&"a file without its hash"))?;
        let stored = Content { sha256, size, store: context.artifacts.main() };
        store_artifact::list(write, file.id, file.upload, stored)?;
    }
    if let Some(publication) = release.publication {
        let (product, draft) = release::find(write, &slug, &version)?;
        publish_release::publish_within(write, &context.keys.load(), &product, draft, &publication)?;
    }
    for steer in release.steered {
        steer_release::steer_within(write, &slug, &version, &Expected::Anything, &steer)?;
    }
    Ok(())
}

fn enter_subscription(context: &Context, write: &mut Write<'_>, sold: SeedSubscription) -> Result<(), Refusal> {
    let ids = Ids { subscription: sold.id, license_key: sold.license_key };
    subscriptions::add_within(write, &context.keys.load(), &Reach::Everything, ids, sold.new)?;
    for (id, key) in sold.more_keys {
        license_keys::add(write, &context.keys.load(), id, sold.id, Some(&key))?;
    }
    for action in sold.actions {
        subscriptions::act_within(write, &Reach::Everything, sold.id, &Expected::Anything, action)?;
    }
    Ok(())
}
