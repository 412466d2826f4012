//! What the pages hold.

#[cfg(test)]
mod hostile;
#[cfg(test)]
mod size;
#[cfg(test)]
mod snapshots;
#[cfg(test)]
mod whole;
#[cfg(test)]
mod worlds;
