//! Whether an adapter may write: the writes of the ports are implemented for [`ReadWrite`] alone.

/// Marks an adapter that only reads.
#[derive(Clone, Copy, Debug)]
pub struct ReadOnly;

/// Marks an adapter that writes too.
#[derive(Clone, Copy, Debug)]
pub struct ReadWrite;
