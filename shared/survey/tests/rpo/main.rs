//! What is missing, in worlds whose truth is known.

mod orders;
mod small;
mod states;
mod worlds;
