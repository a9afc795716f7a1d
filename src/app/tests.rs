//! What a write leaves behind when it is committed, and when it is refused.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use super::App;
use crate::services::{Code, Refusal};

#[test]
fn a_write_is_logged_after_its_commit_and_not_when_refused() {
    let (app, _folder) = App::fixture();
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let lines = Arc::new(AtomicUsize::new(0));
    let write = |is_refused: bool| {
        let (line, lines) = (Arc::clone(&lines), Arc::clone(&lines));
        let written = app.context.write(move |write| {
            write.say(move || {
                line.fetch_add(1, Ordering::SeqCst);
            });
            let before_the_commit = lines.load(Ordering::SeqCst);
            match is_refused {
                true => Err(Refusal::new(Code::Conflict, "refused")),
                false => Ok(before_the_commit),
            }
        });
        runtime.block_on(written)
    };
    assert_eq!(write(true).map_err(|refusal| refusal.code), Err(Code::Conflict));
    assert_eq!(lines.load(Ordering::SeqCst), 0, "a refused write was logged");
    assert_eq!(write(false).map_err(|refusal| refusal.code), Ok(0), "a write was logged before its commit");
    assert_eq!(lines.load(Ordering::SeqCst), 1);
}
