//! The file.

use askama::Template;

use crate::PageError;
use crate::chart::Form;
use crate::content_security::policy;
use crate::data::Data;
use crate::shown::Shown;
use crate::view::{Body, Section, View};

const STYLE: &str = include_str!("../templates/page.css");
const SCRIPT: &str = include_str!("../templates/page.js");
/// So many rows are HTML, for those whose browser runs no script.
const ROWS_WITHOUT_SCRIPT: usize = 10;
/// So many remarks are items of a list. The others are lines of one text: a browser makes an element for
/// each item, and there may be thousands.
const REMARKS_AS_ITEMS: usize = 20;

#[derive(Template)]
#[template(path = "page.html")]
struct Page<'v> {
    view: &'v View<'v>,
    policy: String,
    style: &'static str,
    script: &'static str,
    remarks: &'v [Shown],
    more_remarks: &'v [Shown],
    first: Vec<First>,
    data: &'v Data,
}

/// A row of HTML.
struct First {
    cells: Vec<(&'static str, String)>,
    sections: Vec<Section>,
}

/// The file of a view.
pub(crate) fn page(view: &View<'_>) -> Result<String, PageError> {
    let data = Data::of(view)?;
    let rows = view.rows.iter().take(ROWS_WITHOUT_SCRIPT);
    let first = rows.map(|row| First {
        cells: view
            .columns
            .iter()
            .zip(&row.cells)
            .filter(|(column, _)| !column.is_hidden)
            .map(|(column, cell)| (column.name, cell.text()))
            .collect(),
        sections: (row.sections)(),
    });
    let (remarks, more_remarks) = view
        .remarks
        .split_at_checked(REMARKS_AS_ITEMS)
        .unwrap_or((&view.remarks, &[]));
    let page = Page {
        remarks,
        more_remarks,
        view,
        policy: policy(STYLE, SCRIPT),
        style: STYLE,
        script: SCRIPT,
        first: first.collect(),
        data: &data,
    };
    Ok(page.render()?)
}

/// The class of a line of a diff.
fn class_of(line: &str) -> &'static str {
    match line.chars().next() {
        Some('+') => "added",
        Some('-') => "removed",
        Some(_) | None => "same",
    }
}
