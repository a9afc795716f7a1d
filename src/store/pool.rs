//! A pool of connections. A connection is made when it is needed and the limit is not reached. Each is probed before it
//! is used again. So a database that was away can be used as soon as it is back, and its absence is noticed at once.

use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};

use super::{Connection, StoreError, transaction};

/// How long a caller waits for a connection while all are in use. Then the request fails.
const PATIENCE: Duration = Duration::from_secs(5);

type Connect = dyn Fn() -> Result<Connection, StoreError> + Send + Sync;

/// The connections and their limit.
pub(super) struct Pool {
    connect: Box<Connect>,
    most: usize,
    shelf: Mutex<Shelf>,
    returned: Condvar,
}

#[derive(Default)]
struct Shelf {
    idle: Vec<Connection>,
    /// The number of idle and lent connections together.
    all: usize,
}

/// A lent connection. It returns to the pool if it is fit to be used again; otherwise it is closed.
struct Lent<'p> {
    pool: &'p Pool,
    connection: Option<Connection>,
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        let mut held = self.pool.shelf.lock();
        match self.connection.take() {
            Some(connection) => held.idle.push(connection),
            None => held.all = held.all.saturating_sub(1),
        }
        drop(held);
        self.pool.returned.notify_one();
    }
}

impl Pool {
    /// A pool of at most `most` connections, made by `connect`.
    pub(super) fn new(
        most: usize,
        connect: impl Fn() -> Result<Connection, StoreError> + Send + Sync + 'static,
    ) -> Self {
        Self {
            connect: Box::new(connect),
            most: most.max(1),
            shelf: Mutex::new(Shelf::default()),
            returned: Condvar::new(),
        }
    }

    /// Runs `work` on a connection. The connection is closed if `work` panics or leaves a transaction open.
    pub(super) fn with<T, E: From<StoreError>>(
        &self,
        work: impl FnOnce(&mut Connection) -> Result<T, E>,
    ) -> Result<T, E> {
        let (lent, mut connection) = self.lend()?;
        let done = work(&mut connection);
        if transaction::is_fit(&mut connection) {
            let mut lent = lent;
            lent.connection = Some(connection);
        }
        done
    }

    fn lend(&self) -> Result<(Lent<'_>, Connection), StoreError> {
        let deadline = Instant::now() + PATIENCE;
        let mut held = self.shelf.lock();
        loop {
            if let Some(mut connection) = held.idle.pop() {
                drop(held);
                let lent = Lent { pool: self, connection: None };
                if transaction::answers(&mut connection) {
                    return Ok((lent, connection));
                }
                drop(lent);
                held = self.shelf.lock();
                // The other idle connections most likely ended for the same reason, and probing each would take time.
                let idle = std::mem::take(&mut held.idle);
                held.all = held.all.saturating_sub(idle.len());
            } else if held.all < self.most {
                held.all += 1;
                drop(held);
                let lent = Lent { pool: self, connection: None };
                let connection = (self.connect)()?;
                return Ok((lent, connection));
            } else if self.returned.wait_until(&mut held, deadline).timed_out() {
                return Err(StoreError::Unavailable(format!(
                    "all {} connections to the database have been in use for {} s (database.connections)",
                    self.most,
                    PATIENCE.as_secs()
                )));
            }
        }
    }
}
