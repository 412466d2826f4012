//! What failure messages say: AWS's texts, their variations, the access-denied grammar, and texts
//! that say nothing.

mod catalogue;
mod data;
mod denial_parts;
mod escapes;
mod grammar;
mod properties;
mod shapes;
mod unknown;
