//! Every cause alone, and every pair that can coexist: the handler names exactly what is broken.

mod breaks;
mod controls;
mod faults;
mod messages;
mod pairs;
mod refused_calls;
mod rounds;
mod scene;
mod singles;
mod special;
