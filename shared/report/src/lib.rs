//! What people and programs read of a Report: the e-mail, the terminal view, one line of JSON.
//! Pure.
//!
//! A report carries text that others wrote: the job's message, names, policies, a service's words.
//! Such text can't add a line, a link or a colour of its own: control, bidirectional and invisible
//! characters are escaped, line breaks collapse or are quoted, links are broken (`https[:]//`), and
//! every length is bounded.

mod approval;
mod chat;
mod email;
mod json;
mod link;
mod needs;
mod notice;
mod paste;
mod subject;
mod terminal;
mod text;
mod words;

pub use chat::chat;
pub use email::{
    Email, email, email_of_digest, email_of_left_out, email_of_message, email_of_preflight,
    email_of_test_message,
};
pub use json::json;
pub use link::console;
pub use notice::{Attributes, Contents, Kind, Notice, Severity, VERSION};
pub use paste::{Tool, paste};
pub use terminal::{Row, Style, table, terminal};
pub use text::{command, exact, inline, sentence};
pub use words::{Standing, policy_of, verdict};
