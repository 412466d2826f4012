//! What people and programs read of representative Reports.

#[cfg(test)]
mod chat;
#[cfg(test)]
mod digest;
#[cfg(test)]
mod email;
#[cfg(test)]
mod every_message;
#[cfg(test)]
mod forging;
#[cfg(test)]
mod json;
#[cfg(test)]
mod messages;
#[cfg(test)]
mod readable;
#[cfg(test)]
mod samples;
#[cfg(test)]
mod table;
#[cfg(test)]
mod terminal;
