//! What a failure message says.
