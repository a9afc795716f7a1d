//! The message of a decision to the user of a program, in their language.

use std::sync::Arc;

use crate::{
    domain::{
        decision::reason::{Reason, Status},
        platform::Component,
        version::Version,
    },
    services::field::check_update::Answer,
    texts::{self, Text, Values},
};

/// The sentence that a program shows in its dialog.
#[must_use]
pub fn of(answer: &Answer<'_>) -> Arc<str> {
    let product = &answer.entry.product;
    let decision = &answer.decision;
    let wishes = &answer.question.wishes;
    let stop = decision.stop.map(|stop| (stop, wishes.choose(&product.default_locale, &stop.message)));
    if let Some((_, Some((_, message)))) = stop {
        return message.as_str().into();
    }
    let version = match &decision.offer {
        Some(offer) => &offer.release.version,
        None => &answer.question.check.version,
    };
    let date = answer.coverage.and_then(|coverage| match decision.reason {
        Some(Reason::SubscriptionPending) => Some(coverage.starts_on),
        _ => coverage.ends_on,
    });
    let values = Values {
        product: &product.name,
        version: version.as_str(),
        newer: decision.newer.map(|release| release.version.as_str()).unwrap_or_default(),
        server_version: answer.question.check.server_version.as_ref().map(Version::as_str).unwrap_or_default(),
        reason: stop.map(|(stop, _)| stop.reason.as_str()).unwrap_or_default(),
        date,
        time: decision.next_window_at,
        zone: answer.group.map(|group| group.timezone.rules()),
    };
    texts::render(wishes, &product.default_locale, text_of(answer), &values)
}

/// The text that fits the decision.
fn text_of(answer: &Answer<'_>) -> Text {
    let decision = &answer.decision;
    match (decision.status, decision.reason) {
        (Status::UpdateAvailable, _) => offered(answer),
        (Status::NotEntitled, Some(Reason::WrongProduct)) => Text::NotEntitledWrongProduct,
        (Status::NotEntitled, Some(Reason::SubscriptionSuspended)) => Text::NotEntitledSuspended,
        (Status::NotEntitled, Some(Reason::SubscriptionCancelled)) => Text::NotEntitledCancelled,
        (Status::NotEntitled, Some(Reason::SubscriptionPending)) => Text::NotEntitledPending,
        (Status::NotEntitled, Some(Reason::SubscriptionExpired)) => Text::NotEntitledExpired,
        (Status::NotEntitled, _) => Text::NotEntitledLicenseRequired,
        (Status::Deferred, Some(Reason::GroupBusy)) => Text::DeferredGroupBusy,
        (Status::Deferred, _) => Text::DeferredOutsideWindow,
        (Status::Managed, _) => Text::Managed,
        (Status::Incompatible, Some(Reason::RolloutHalted)) => Text::IncompatibleHalted,
        (Status::Incompatible, _) => Text::IncompatibleNoClient,
        (Status::Blocked, _) => Text::BlockedStopped,
        (Status::UpToDate, Some(Reason::ServerVersionRequired)) => Text::ServerVersionRequired,
        (Status::UpToDate, Some(Reason::RolloutPending)) => Text::RolloutPending,
        (Status::UpToDate, Some(Reason::RolloutPaused)) => Text::RolloutPaused,
        (Status::UpToDate, Some(Reason::RolloutHalted)) => Text::RolloutHalted,
        (Status::UpToDate, Some(Reason::NoPath)) => Text::NoPath,
        (Status::UpToDate, Some(Reason::Pinned)) => Text::Pinned,
        (Status::UpToDate, Some(Reason::CurrentYanked)) => Text::CurrentYanked,
        (Status::UpToDate, _) => Text::UpToDate,
    }
}

fn offered(answer: &Answer<'_>) -> Text {
    let Some(offer) = &answer.decision.offer else { return Text::UpToDate };
    let told_of_server = answer.question.check.component == Component::Client && offer.applies_to == Component::Server;
    match (offer.matches_server, told_of_server, offer.mandatory) {
        (true, ..) => Text::ClientMustMatchServer,
        (_, true, true) => Text::UpdateAvailableServerMandatory,
        (_, true, false) => Text::UpdateAvailableServer,
        (_, false, true) => Text::UpdateAvailableMandatory,
        (_, false, false) => Text::UpdateAvailable,
    }
}
