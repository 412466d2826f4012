//! Answers in XML, as a tree.

use aws_smithy_xml::decode::{Document, ScopedDecoder, XmlDecodeError, try_data};

/// Answers of AWS are nested less deep by far. What is deeper isn't read, so that nobody makes the
/// reader use up its stack.
const DEEPEST: usize = 32;

/// An element: with elements in it, or with text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Element {
    name: String,
    text: String,
    children: Vec<Self>,
}

impl Element {
    /// The first element of this name in it.
    pub(crate) fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name == name)
    }

    /// The same, alone.
    pub(crate) fn into_child(self, name: &str) -> Option<Self> {
        self.children.into_iter().find(|child| child.name == name)
    }

    /// The text of the first element of this name in it.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.child(name).map(|child| child.text.as_str())
    }

    /// Whether the element of this name says `true`.
    pub(crate) fn is_true(&self, name: &str) -> bool {
        self.text(name) == Some("true")
    }

    /// The entries of a list: the elements `member` of the element of this name.
    pub(crate) fn members(&self, name: &str) -> impl Iterator<Item = &Self> {
        self.all(name, "member")
    }

    /// The elements of one name in the element of another.
    pub(crate) fn all(&self, name: &str, each: &'static str) -> impl Iterator<Item = &Self> {
        let list = self.child(name).into_iter();
        list.flat_map(|list| &list.children)
            .filter(move |child| child.name == each)
    }

    /// The element's own text.
    pub(crate) fn own_text(&self) -> &str {
        &self.text
    }
}

/// Reads a document. What was cut on its way isn't read: it would hold too little.
pub(crate) fn parse(answer: &str) -> Result<Element, String> {
    read(answer).map_err(|error| error.to_string())
}

fn read(answer: &str) -> Result<Element, XmlDecodeError> {
    // The reader wants to know before whether an element holds elements or text. A first pass finds it:
    // an element holds one where the next is deeper.
    let mut depths = Vec::new();
    let mut outline = Document::new(answer);
    while let Some(element) = outline.next_start_element() {
        depths.push(element.depth());
    }
    if depths
        .iter()
        .max()
        .is_some_and(|deepest| *deepest > DEEPEST)
    {
        return Err(XmlDecodeError::custom("the answer is nested too deep"));
    }
    let mut document = Document::new(answer);
    let root = document.root_element()?;
    let end = format!("</{}>", root.start_el().local());
    if !answer.trim_end().ends_with(&end) {
        return Err(XmlDecodeError::custom("the answer is cut"));
    }
    element(root, &mut depths.into_iter().peekable())
}

fn element(
    mut decoder: ScopedDecoder<'_, '_>,
    depths: &mut std::iter::Peekable<std::vec::IntoIter<usize>>,
) -> Result<Element, XmlDecodeError> {
    let name = decoder.start_el().local().to_owned();
    let depth = depths.next().unwrap_or_default();
    let mut read = Element {
        name,
        ..Element::default()
    };
    if depths.peek().is_some_and(|next| *next > depth) {
        while let Some(child) = decoder.next_tag() {
            read.children.push(element(child, depths)?);
        }
    } else {
        read.text = try_data(&mut decoder)?.into_owned();
    }
    Ok(read)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_hold_elements_or_text() {
        let root = parse(
            "<?xml version=\"1.0\"?><R xmlns=\"u\">\n <List><member><A>1 &lt; 2</A><B/></member>\
             <member><A> x </A></member></List><Is>true</Is><Empty></Empty></R>\n",
        );
        let root = root.unwrap();
        let texts: Vec<_> = root.members("List").map(|one| one.text("A")).collect();
        assert_eq!(texts, [Some("1 < 2"), Some(" x ")]);
        let first = root.members("List").next().unwrap();
        assert_eq!(first.text("B"), Some(""));
        assert_eq!(root.text("Empty"), Some(""));
        assert_eq!(root.text("Missing"), None);
        assert!(root.is_true("Is") && !root.is_true("Empty"));
        assert_eq!(root.members("Missing").count(), 0);
    }

    #[test]
    fn what_is_cut_or_broken_is_not_read() {
        let whole = "<R><List><member>a</member></List></R>";
        assert!(parse(whole).is_ok());
        for end in 0..whole.len() {
            assert!(parse(whole.get(..end).unwrap()).is_err(), "{end}");
        }
        for broken in ["", "no XML", "<a><b></a></b>", "<R>&nothing;</R>", "{}"] {
            assert!(parse(broken).is_err(), "{broken}");
        }
        let deep = "<a>".repeat(10_000) + &"</a>".repeat(10_000);
        assert!(parse(&deep).is_err());
    }
}
