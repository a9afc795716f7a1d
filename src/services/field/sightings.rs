//! Sightings: what checks told about installations, gathered in memory and written down from time to time.

use std::sync::Arc;

use crate::{
    domain::installation::Sighting,
    services::desk::{Context, Refusal},
    store::{self, Connection, StoreError, offers::Offer},
};

/// Sightings written in one transaction: a stop that waits behind them waits some milliseconds.
const SIGHTINGS_AT_ONCE: usize = 1000;

/// Takes in sightings, and what was offered at them.
pub(in crate::services) fn take_in(connection: &mut Connection, sightings: &[Sighting]) -> Result<(), StoreError> {
    store::installations::take_in(connection, sightings)?;
    store::offers::take_in(connection, sightings.iter().filter_map(Offer::of))
}

/// Writes down what checks told about their installations.
///
/// # Errors
/// `storage_unavailable`; nothing is lost then, it is written the next time.
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
