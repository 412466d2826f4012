//! What a scan asks for, in a small world.

#[cfg(test)]
mod days;
