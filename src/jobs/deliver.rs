//! Emptying the outbox: at once where this process has put something in, and every second for what has become due or was put
//! in by another one.

use std::{future::Future, panic::AssertUnwindSafe, sync::Arc, time::Duration};

use futures_util::FutureExt as _;
use tokio::{sync::watch, time};

use super::told;
use crate::{services::Context, store::StoreError};

/// So often it is looked for what is due.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// What is under way when the server stops is waited for so long; what is broken off is sent once more.
const LAST_WORDS: Duration = Duration::from_secs(5);

/// Does `work`, which says whether there is more, on the one replica that leads, until the server stops.
pub(super) async fn whenever_due<F: Future<Output = Result<bool, StoreError>>>(
    context: Arc<Context>,
    leading: watch::Receiver<bool>,
    mut stopped: watch::Receiver<bool>,
    work: impl Fn(Arc<Context>) -> F,
) {
    let mut filled = context.outbox_filled.subscribe();
    let mut fails = false;
    loop {
        let leads = *leading.borrow();
        let mut is_more = false;
        if leads {
            let mut working = Box::pin(AssertUnwindSafe(work(Arc::clone(&context))).catch_unwind());
            let done = tokio::select! {
                done = &mut working => done,
                () = told(&mut stopped) => {
                    let _ = time::timeout(LAST_WORDS, working).await;
                    return;
                }
            };
            match done {
                Ok(Ok(more)) => (is_more, fails) = (more, false),
                Ok(Err(error)) if !fails => {
                    fails = true;
                    tracing::warn!(%error, "the outbox cannot be emptied; it is tried again every second");
                }
                Ok(Err(_)) => {}
                Err(_) => tracing::error!("sending what is in the outbox panicked; it is done again"),
            }
        }
        tokio::select! {
            () = told(&mut stopped) => return,
            () = std::future::ready(()), if is_more => {}
            // An error means that the sender is gone, and then the server stops.
            _ = filled.changed() => {}
            () = time::sleep(LOOK_EVERY) => {}
        }
    }
}
