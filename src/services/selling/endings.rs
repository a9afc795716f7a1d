//! Subscriptions that are about to end. Staff receive one mail per day, about the subscriptions that have reached a
//! step of `ending_days` since the last mail.

use std::{collections::BTreeSet, collections::HashSet, sync::Arc};

use jiff::{SignedDuration, Timestamp, ToSpan as _, civil::Date};

use crate::{
    domain::{
        ending::{self, LastNotice},
        zone::utc_day,
    },
    services::{
        desk::{Context, outbox::Outbox},
        telling::events::{Ending, Teller, language},
    },
    store::{self, Connection, StoreError, settings::ENDINGS_TOLD, subscriptions::EndingRow},
};

/// How many subscriptions a mail names. For the others it gives their number.
const NAMED: usize = 200;

/// How many days the date of a product's time zone can differ from the UTC date.
const SPREAD: i64 = 1;

/// The subscriptions that the mail is about.
#[derive(Default)]
struct Found {
    known: HashSet<uuid::Uuid>,
    /// The most urgent ones, with the language of their products. The language is kept here because a product can be
    /// renamed before the mail is written, or another can take its name.
    named: BTreeSet<(Ending, uuid::Uuid, &'static str)>,
}

/// Mails staff, unless they were mailed today. If the database cannot be used, the next call mails them.
pub async fn tell(context: &Arc<Context>) -> Result<(), StoreError> {
    let desk = Arc::clone(context);
    let done = tokio::task::spawn_blocking(move || tell_blocking(&desk)).await;
    done.unwrap_or_else(|error| Err(StoreError::Other(error.to_string())))
}

fn tell_blocking(context: &Context) -> Result<(), StoreError> {
    let now = context.clock.now();
    let setting = context.store.read(|connection| store::settings::get(connection, ENDINGS_TOLD))?;
    let told: Option<Timestamp> = setting.as_ref().and_then(|text| text.parse().ok());
    if told.is_some_and(|told| utc_day(told) >= utc_day(now)) {
        return Ok(());
    }
    let found = context.store.read(|connection| find(context, connection, now, told))?;
    context.store.append::<_, StoreError>(|connection| {
        // Another replica may have mailed staff in the meantime.
        if store::settings::get(connection, ENDINGS_TOLD)? != setting {
            return Ok(());
        }
        match &setting {
            Some(_) => store::settings::replace(connection, ENDINGS_TOLD, &now.to_string())?,
            None => store::settings::insert(connection, ENDINGS_TOLD, &now.to_string())?,
        }
        queue(context, connection, now, &found)
    })?;
    context.ring();
    Ok(())
}

fn queue(context: &Context, connection: &mut Connection, now: Timestamp, found: &Found) -> Result<(), StoreError> {
    // The mail is in the language of the most urgent subscription's product.
    let Some((.., language)) = found.named.first() else { return Ok(()) };
    let named: Vec<Ending> = found.named.iter().map(|(ending, ..)| ending.clone()).collect();
    let mut outbox = Outbox::default();
    Teller::new(context, connection, &mut outbox, now).endings(language, &named, found.known.len())?;
    outbox.flush(connection).map(drop)
}

/// Finds the subscriptions by the days on which they end: there may be a million, of which few end on one day.
fn find(
    context: &Context,
    connection: &mut Connection,
    now: Timestamp,
    told: Option<Timestamp>,
) -> Result<Found, StoreError> {
    let ladder = &context.settings.ending_days;
    let catalogue = context.directory.catalogue();
    let mut found = Found::default();
    let mut look = |row: EndingRow| {
        let Some(entry) = catalogue.product_by_id(row.product) else { return };
        let (zone, ends_on) = (&entry.product.timezone, row.ends_on);
        let last_notice = told.map(|told| LastNotice::by(zone, told));
        let left = ending::days_left(ladder, ends_on, row.created_at, zone.date_at(now), last_notice);
        if let Some(days) = left.filter(|_| found.known.insert(row.id.0)) {
            let (product, customer) = (entry.product.name.to_string(), row.customer);
            let ending = Ending { days, customer, product, ends_on, renews: row.renews };
            found.named.insert((ending, row.id.0, language(&entry.product, None)));
            if found.named.len() > NAMED {
                found.named.pop_last();
            }
        }
    };
    let day = |at: Timestamp, days: i64| -> Date { utc_day(at).saturating_add(days.days()) };
    for step in ladder.iter().map(|step| i64::from(*step)) {
        let last = day(now, step + SPREAD);
        let first = told.map_or(day(now, -SPREAD), |told| day(told, step - SPREAD).max(day(now, -SPREAD)));
        store::subscriptions::for_each_ending(connection, first, last, None, &mut look)?;
    }
    let highest = ladder.iter().max().map(|step| i64::from(*step));
    if let (Some(highest), Some(told)) = (highest, told) {
        // Subscriptions that were added since the last mail, including those of the same millisecond.
        let since = told.checked_sub(SignedDuration::from_millis(1)).unwrap_or(told);
        let (first, last) = (day(now, -SPREAD), day(now, highest + SPREAD));
        store::subscriptions::for_each_ending(connection, first, last, Some(since), &mut look)?;
    }
    Ok(found)
}
