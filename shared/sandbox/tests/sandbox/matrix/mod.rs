//! Every cause alone, and every pair that can coexist: the handler names exactly what is broken.

mod breaks;
mod scene;
mod singles;
