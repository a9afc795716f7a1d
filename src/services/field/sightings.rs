//! Sightings: what checks said about their installations. They are collected in memory and written by a job.

use std::sync::Arc;

use crate::{
    domain::installation::Sighting,
    services::desk::{Context, Refusal},
    store::{self, Connection, StoreError, offers::Offer},
};

/// The number of sightings in one transaction, which takes some milliseconds. With more, other writes, such as setting
/// a stop, wait longer.
const SIGHTINGS_AT_ONCE: usize = 1000;

/// Writes sightings and the offers made at them.
pub(in crate::services) fn take_in(connection: &mut Connection, sightings: &[Sighting]) -> Result<(), StoreError> {
    store::installations::take_in(connection, sightings)?;
    store::offers::take_in(connection, sightings.iter().filter_map(Offer::of))
}

/// Writes the collected sightings; returns their number.
///
/// # Errors
/// `storage_unavailable`; the sightings are then kept for the next call.
pub async fn write_sightings(context: &Arc<Context>) -> Result<usize, Refusal> {
    let mut sightings = context.directory.sightings.take();
    let count = sightings.len();
    while !sightings.is_empty() {
        let batch = Arc::new(sightings.split_off(sightings.len().saturating_sub(SIGHTINGS_AT_ONCE)));
        let to_write = Arc::clone(&batch);
        let written = context.append(move |connection, _| take_in(connection, &to_write)).await;
        if let Err(error) = written {
            sightings.extend(Arc::unwrap_or_clone(batch));
            context.directory.sightings.put_back(sightings);
            return Err(error);
        }
    }
    Ok(count)
}
