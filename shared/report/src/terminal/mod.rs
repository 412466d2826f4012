//! The view for a terminal: compact, aligned, in colours where wanted.

mod fold;
mod paint;
mod report;
mod subject;
mod table;
mod view;

use copymend_remediation::report::Report;

use view::View;

pub use table::{Row, table};

/// Whether the view is coloured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// Text alone.
    Plain,
    /// With ANSI colours.
    Coloured,
}

/// The view of a Report. Ends with a line break.
#[must_use]
pub fn terminal(report: &Report, style: Style) -> String {
    let mut view = View::new(style);
    view.report(report);
    view.finish()
}
