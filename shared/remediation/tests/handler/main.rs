//! The handler on the sandbox, with the default world and the sample events.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, and helpers of tests do too"
)]

mod advisor;
mod advisor_keys;
mod advisor_named_causes;
mod attacks;
mod bad_input;
mod followed;
mod followed_and_told;
mod guards;
mod guards_of_unknowns;
mod incidents;
mod known_organizations;
mod limits;
mod local_runs;
mod lost_lease;
mod no_stays_no;
mod own_roles;
mod pause;
mod places;
mod put_off;
mod put_off_by_sweeps;
mod quiet;
mod sample_events;
mod self_check;
mod settings_notice;
mod sources;
mod support;
mod taken_back;
mod told_of;
mod undo;
mod whose_copies;
mod writes;
