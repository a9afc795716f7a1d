//! What only `PostgreSQL` has: its schema, its refusals, its restarts, its TLS, and replicas that share it. These run
//! in every run of the suite, whatever `SLUICE_TEST_STORES` says.

mod away;
mod order;
mod refusals;
mod schema;
mod tls;
