//! What is missing, in worlds whose truth is known.

#[cfg(test)]
mod measured;
#[cfg(test)]
mod orders;
#[cfg(test)]
mod small;
#[cfg(test)]
mod states;
#[cfg(test)]
mod tags;
#[cfg(test)]
mod worlds;
