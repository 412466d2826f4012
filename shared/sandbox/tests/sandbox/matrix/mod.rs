//! Every cause alone, and every pair that can coexist: the handler names exactly what is broken.

pub(crate) mod breaks;
mod controls;
mod faults;
pub(crate) mod messages;
mod pairs;
mod refused_calls;
mod role_policies;
mod rounds;
pub(crate) mod scene;
mod singles;
mod special;
