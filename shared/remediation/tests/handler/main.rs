//! The handler on the sandbox, with the default world and the sample events.

mod bad_input;
mod guards;
mod sample_events;
mod support;
mod writes;
