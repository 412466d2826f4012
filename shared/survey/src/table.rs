//! Tables of text for people, as wide as they have room.

/// The columns' texts of one row.
pub type Row = Vec<String>;

/// A table: the lines of the head, then those of each row. The last column is folded to the room that is
/// left; without a width, as in a pipe, nothing is folded. Lines end without blanks.
#[must_use]
pub fn table(head: &[&str], rows: &[Row], width: Option<usize>) -> Vec<Vec<String>> {
    let mut widths: Vec<usize> = head.iter().map(|text| length(text)).collect();
    for row in rows {
        for (width, text) in widths.iter_mut().zip(row) {
            *width = (*width).max(length(text));
        }
    }
    let last = widths.len().saturating_sub(1);
    let before: usize = widths.iter().take(last).map(|width| width + 2).sum();
    let room = width.map(|width| width.saturating_sub(before).max(LEAST_ROOM));
    let head: Row = head.iter().map(|text| (*text).to_owned()).collect();
    let lines_of = |row: &Row| {
        let mut start = String::new();
        for (width, text) in widths.iter().zip(row).take(last) {
            start.push_str(text);
            start.extend(std::iter::repeat_n(' ', width + 2 - length(text)));
        }
        let folded = fold(row.last().map_or("", String::as_str), room).into_iter();
        folded
            .map(|part| {
                let line = format!("{start}{part}").trim_end().to_owned();
                start = " ".repeat(before);
                line
            })
            .collect()
    };
    std::iter::once(&head).chain(rows).map(lines_of).collect()
}

/// The least room of the last column, however narrow the terminal is.
const LEAST_ROOM: usize = 20;

/// A text in lines that fit. Words stay whole where they can; one without room, such as an ARN, is cut
/// behind a colon or a slash where it has one.
#[must_use]
pub fn fold(text: &str, room: Option<usize>) -> Vec<String> {
    let Some(room) = room else {
        return vec![text.to_owned()];
    };
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let mut rest = word;
        loop {
            let Some(line) = lines.last_mut() else {
                return lines;
            };
            let gap = usize::from(!line.is_empty());
            if length(line) + gap + length(rest) <= room {
                if gap == 1 {
                    line.push(' ');
                }
                line.push_str(rest);
                break;
            }
            if gap == 1 {
                lines.push(String::new());
                continue;
            }
            let (part, left) = cut(rest, room.max(1));
            line.push_str(part);
            rest = left;
            if rest.is_empty() {
                break;
            }
            lines.push(String::new());
        }
    }
    lines
}

/// The longest beginning that fits, to its last colon or slash.
fn cut(word: &str, room: usize) -> (&str, &str) {
    let end = word
        .char_indices()
        .nth(room)
        .map_or(word.len(), |(place, _)| place);
    let (part, _) = word.split_at(end);
    match part.rfind([':', '/']) {
        Some(place) if place + 1 < word.len() && end < word.len() => word.split_at(place + 1),
        Some(_) | None => word.split_at(end),
    }
}

fn length(text: &str) -> usize {
    text.chars().count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows() -> Vec<Row> {
        vec![
            vec!["1".to_owned(), "short".to_owned()],
            vec![
                "1000".to_owned(),
                "arn:aws:backup:eu-west-1:111122223333:backup-vault:dr and words".to_owned(),
            ],
        ]
    }

    #[test]
    fn a_pipe_gets_every_row_on_one_line() {
        assert_eq!(
            table(&["N", "WHAT"], &rows(), None).concat(),
            [
                "N     WHAT",
                "1     short",
                "1000  arn:aws:backup:eu-west-1:111122223333:backup-vault:dr and words",
            ]
        );
    }

    #[test]
    fn a_terminal_gets_no_line_that_is_wider_and_loses_nothing() {
        for width in 26..100 {
            let lines = table(&["N", "WHAT"], &rows(), Some(width)).concat();
            assert!(lines.iter().all(|line| length(line) <= width), "{width}");
            let whole: String = lines.concat().split_whitespace().collect();
            let expected = table(&["N", "WHAT"], &rows(), None).concat().concat();
            let expected: String = expected.split_whitespace().collect();
            assert_eq!(whole, expected, "{width}");
        }
    }

    #[test]
    fn an_arn_is_cut_behind_a_colon() {
        assert_eq!(
            fold("arn:aws:backup:eu-west-1", Some(10)),
            ["arn:aws:", "backup:", "eu-west-1"]
        );
        assert_eq!(fold("abcdefgh", Some(3)), ["abc", "def", "gh"]);
        assert_eq!(fold("", Some(3)), [""]);
    }
}
