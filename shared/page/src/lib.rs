//! What a scan, a preflight or a look at copies' ages found, as one HTML file that a person opens in a
//! browser, keeps and prints. Pure: the caller writes the file.
//!
//! The file needs no network and can't use it: its Content-Security-Policy lets nothing in but its own
//! style and script, by their hashes. Its totals, plots and first rows are HTML; all rows are data, which
//! the script shows fifty at a time.
//!
//! Messages and names are hostile text. Whatever goes into the page is `Shown`, which only the
//! functions of `copymend-report` make; the template escapes it for HTML, and the data for a script.

mod chart;
mod content_security;
mod data;
mod html;
mod preflight;
mod rpo;
mod scan;
mod sections;
mod shown;
mod view;

pub use preflight::preflight;
pub use rpo::rpo;
pub use scan::scan;

/// Why no page could be made.
#[derive(Debug, thiserror::Error)]
pub enum PageError {
    /// The template can't be filled.
    #[error("the page's template can't be filled: {0}")]
    Template(#[from] askama::Error),
    /// The rows can't be written as JSON.
    #[error("the page's rows can't be written as JSON: {0}")]
    Json(#[from] serde_json::Error),
}
