//! What is missing, in worlds whose truth is known.

#[cfg(test)]
mod orders;
#[cfg(test)]
mod small;
#[cfg(test)]
mod states;
mod tags;
#[cfg(test)]
mod worlds;
