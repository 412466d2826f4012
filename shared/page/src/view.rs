//! What is common to the three views: totals, plots, remarks, and rows that open.

use crate::chart::Chart;
use crate::shown::Shown;

/// A page's content.
pub(crate) struct View<'f> {
    /// The heading, such as `Failed copies`.
    pub(crate) title: Shown,
    /// What was looked at and when, in a sentence or two.
    pub(crate) about: Vec<Shown>,
    /// What a row is, such as `incident`.
    pub(crate) row_is: &'static str,
    /// The same in the plural.
    pub(crate) rows_are: &'static str,
    /// Figures.
    pub(crate) totals: Vec<Total>,
    /// Where they come from.
    pub(crate) charts: Vec<Chart>,
    /// What could not be read, and what else is to be said.
    pub(crate) remarks: Vec<Shown>,
    /// What is told where there are no rows.
    pub(crate) nothing: Shown,
    /// What each row has.
    pub(crate) columns: Vec<Column>,
    /// The rows, the most important first.
    pub(crate) rows: Vec<Row<'f>>,
}

/// A figure with its name.
pub(crate) struct Total {
    /// What it is.
    pub(crate) name: &'static str,
    /// The figure.
    pub(crate) value: Shown,
    /// Whether it is bad unless it is zero.
    pub(crate) is_bad: bool,
}

impl Total {
    /// A figure that is neither good nor bad.
    pub(crate) fn plain(name: &'static str, value: Shown) -> Self {
        Self {
            name,
            value,
            is_bad: false,
        }
    }

    /// A number that should be zero.
    pub(crate) fn bad(name: &'static str, number: u64) -> Self {
        Self {
            name,
            value: Shown::number(number),
            is_bad: number > 0,
        }
    }
}

/// A column of the table.
pub(crate) struct Column {
    /// Its heading.
    pub(crate) name: &'static str,
    /// How its values sort.
    pub(crate) kind: Kind,
    /// Whether rows can be chosen by it.
    pub(crate) is_filter: bool,
    /// Whether it is no column of the table, and only rows are chosen by it.
    pub(crate) is_hidden: bool,
}

impl Column {
    /// A column that only shows.
    pub(crate) const fn new(name: &'static str, kind: Kind) -> Self {
        Self {
            name,
            kind,
            is_filter: false,
            is_hidden: false,
        }
    }

    /// A column by which rows can be chosen.
    pub(crate) const fn filter(name: &'static str, kind: Kind) -> Self {
        Self {
            is_filter: true,
            ..Self::new(name, kind)
        }
    }

    /// What rows are chosen by and isn't shown beside the others.
    pub(crate) const fn hidden(name: &'static str, kind: Kind) -> Self {
        Self {
            is_hidden: true,
            ..Self::filter(name, kind)
        }
    }
}

/// How values are written and sorted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Text.
    Text,
    /// Several texts.
    List,
    /// A number.
    Number,
    /// A number that is shown in words, such as an age.
    Measure,
}

impl Kind {
    /// As the script knows it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::List => "list",
            Self::Number => "number",
            Self::Measure => "measure",
        }
    }
}

/// A row.
pub(crate) struct Row<'f> {
    /// One value a column.
    pub(crate) cells: Vec<Cell>,
    /// What it opens to. Made when it is needed: of many rows, not all fit.
    pub(crate) sections: Box<dyn Fn() -> Vec<Section> + 'f>,
}

/// A value. Its form is that of its column's [`Kind`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Cell {
    /// Text.
    Text(Shown),
    /// Several texts.
    List(Vec<Shown>),
    /// A number.
    Number(u64),
    /// A number in words; without one it sorts last.
    Measure(Option<i64>, Shown),
}

impl Cell {
    /// As one text, for the HTML rows.
    pub(crate) fn text(&self) -> String {
        match self {
            Self::Text(text) | Self::Measure(_, text) => text.to_string(),
            Self::List(texts) => {
                let texts: Vec<&str> = texts.iter().map(Shown::as_str).collect();
                texts.join(", ")
            }
            Self::Number(number) => number.to_string(),
        }
    }
}

/// A part of what a row opens to.
pub(crate) struct Section {
    /// Its heading.
    pub(crate) heading: Shown,
    /// What is in it.
    pub(crate) body: Body,
}

/// What is in a section.
pub(crate) enum Body {
    /// Sentences, each a paragraph.
    Text(Vec<Shown>),
    /// Items.
    List(Vec<Shown>),
    /// Names with values.
    Pairs(Vec<(Shown, Shown)>),
    /// What to do, in order: a sentence, and the lines of a command or of a text to paste.
    Steps(Vec<Step>),
    /// The lines of a unified diff.
    Diff(Vec<Shown>),
    /// Pages to read, checked to be AWS's.
    Links(Vec<Link>),
}

/// One thing to do.
pub(crate) struct Step {
    /// The sentence.
    pub(crate) sentence: Shown,
    /// The lines below it, as they are typed or pasted.
    pub(crate) lines: Vec<Shown>,
}

/// A page of AWS.
pub(crate) struct Link {
    /// What it is.
    pub(crate) words: Shown,
    /// Its address.
    pub(crate) address: Shown,
}

impl Section {
    /// A section, unless there is nothing in it.
    pub(crate) fn of(heading: &'static str, body: Body) -> Option<Self> {
        let is_empty = match &body {
            Body::Text(items) | Body::List(items) | Body::Diff(items) => items.is_empty(),
            Body::Pairs(pairs) => pairs.is_empty(),
            Body::Steps(steps) => steps.is_empty(),
            Body::Links(links) => links.is_empty(),
        };
        (!is_empty).then(|| Self {
            heading: Shown::ours(heading),
            body,
        })
    }
}
