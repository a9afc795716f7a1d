//! The columns that the tables of deliveries have in common: the state of each delivery.

/// Defines the row of these columns for a table, and the statements on them.
macro_rules! deliveries {
    ($table:ident, $id:ty) => {
        use crate::domain::delivery::{Delivery, DeliveryState, UNDER_WAY};
        use crate::store::value::{Key, Moment, Name};

        #[derive(Queryable, Selectable, AsChangeset)]
        #[diesel(table_name = $table, treat_none_as_null = true)]
        struct DeliveryRow {
            state: Name<DeliveryState>,
            attempts: i64,
            next_attempt_at: Option<Moment>,
            last_error: Option<String>,
            created_at: Moment,
            queued_at: Moment,
            sent_at: Option<Moment>,
        }

        impl DeliveryRow {
            fn of(delivery: &Delivery) -> Self {
                Self {
                    state: Name(delivery.state),
                    attempts: i64::from(delivery.attempts),
                    next_attempt_at: delivery.next_attempt_at.map(Moment),
                    last_error: delivery.last_error.clone(),
                    created_at: Moment(delivery.created_at),
                    queued_at: Moment(delivery.queued_at),
                    sent_at: delivery.sent_at.map(Moment),
                }
            }

            fn new_row(self) -> impl NewRow<Table = $table::table> {
                (
                    ($table::state, self.state),
                    ($table::attempts, self.attempts),
                    ($table::next_attempt_at, self.next_attempt_at),
                    ($table::last_error, self.last_error),
                    ($table::created_at, self.created_at),
                    ($table::queued_at, self.queued_at),
                    ($table::sent_at, self.sent_at),
                )
            }

            fn into_domain(self) -> Delivery {
                Delivery {
                    state: self.state.0,
                    attempts: u32::try_from(self.attempts).unwrap_or(u32::MAX),
                    next_attempt_at: self.next_attempt_at.map(|at| at.0),
                    last_error: self.last_error,
                    created_at: self.created_at.0,
                    queued_at: self.queued_at.0,
                    sent_at: self.sent_at.map(|at| at.0),
                }
            }
        }

        /// Stores the new state of a delivery, if it is still the same attempt as `before`: not claimed or queued anew.
        /// Returns whether it did.
        pub fn mark(
            connection: &mut Connection,
            id: $id,
            before: &Delivery,
            after: &Delivery,
        ) -> Result<bool, StoreError> {
            let unchanged = $table::table
                .find(Key(id))
                .filter($table::state.eq(before.state.as_str()))
                .filter($table::attempts.eq(i64::from(before.attempts)))
                .filter($table::queued_at.eq(Moment(before.queued_at)));
            Ok(diesel::update(unchanged).set(DeliveryRow::of(after)).execute(connection)? > 0)
        }

        /// Makes the deliveries due whose attempt was under way. Call it only if no process can still be trying them.
        /// Returns how many there were.
        pub fn release(connection: &mut Connection, now: Timestamp) -> Result<usize, StoreError> {
            let claimed = $table::table
                .filter($table::state.eq(DeliveryState::Queued.as_str()))
                .filter($table::last_error.eq(UNDER_WAY))
                .filter($table::next_attempt_at.gt(Moment(now)));
            Ok(diesel::update(claimed).set($table::next_attempt_at.eq(Moment(now))).execute(connection)?)
        }

        /// Deletes the deliveries that were sent and made before `sent`, and the others that were made before `unsent`.
        /// Returns how many it deleted.
        pub fn forget(connection: &mut Connection, sent: Timestamp, unsent: Timestamp) -> Result<usize, StoreError> {
            let mut forgotten = 0;
            for (state, before) in
                [(DeliveryState::Sent, sent), (DeliveryState::Failed, unsent), (DeliveryState::Queued, unsent)]
            {
                let old = $table::table
                    .filter($table::state.eq(state.as_str()))
                    .filter($table::created_at.lt(Moment(before)));
                forgotten += diesel::delete(old).execute(connection)?;
            }
            Ok(forgotten)
        }

        /// The number of deliveries in this state.
        pub fn count(connection: &mut Connection, state: DeliveryState) -> Result<i64, StoreError> {
            Ok($table::table.filter($table::state.eq(state.as_str())).count().get_result(connection)?)
        }
    };
}
pub(super) use deliveries;
