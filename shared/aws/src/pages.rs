//! Lists that come in pages.

#[cfg(any(feature = "doctor", feature = "proving"))]
use std::error::Error;

#[cfg(any(feature = "doctor", feature = "proving"))]
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use copymend_remediation::ports::{CallError, CallResult};

#[cfg(any(feature = "doctor", feature = "proving"))]
use crate::error::Answer;
use crate::error::Call;
use crate::member::text;
use crate::signed::Answering;

/// The lists read here are short by AWS's quotas: 50 tags, a few policies, one answer an action.
/// More pages than these are no honest answer.
pub(crate) const MOST_PAGES: usize = 20;

/// Where the next page starts: nowhere at the end of the list, and an error where the service says
/// neither.
pub(crate) type Next = Result<Option<String>, &'static str>;

/// Services that answer a token as long as there is more.
#[expect(
    clippy::unnecessary_wraps,
    reason = "it stands where `marker` stands, which can fail"
)]
pub(crate) fn token(next: Option<&str>) -> Next {
    Ok(text(next))
}

/// Services that say whether there is more.
pub(crate) fn marker(is_truncated: bool, marker: Option<&str>) -> Next {
    match text(marker) {
        _ if !is_truncated => Ok(None),
        Some(marker) => Ok(Some(marker)),
        None => Err("the list is truncated, but the marker of the next page is missing"),
    }
}

/// All items of a list. `send` asks for the page at a marker, `read` takes the text of an answer apart.
pub(crate) async fn of<T: Send>(
    call: &Call,
    send: impl Fn(Option<&str>) -> Answering + Send,
    read: impl Fn(&str) -> CallResult<(Vec<T>, Next)> + Send,
) -> CallResult<Vec<T>> {
    up_to(MOST_PAGES, call, send, read).await
}

/// The same of a list that may have `most` pages.
pub(crate) async fn up_to<T: Send>(
    most: usize,
    call: &Call,
    send: impl Fn(Option<&str>) -> Answering + Send,
    read: impl Fn(&str) -> CallResult<(Vec<T>, Next)> + Send,
) -> CallResult<Vec<T>> {
    let mut all = Vec::new();
    let mut from: Option<String> = None;
    for _ in 0..most {
        let page = call.send(send(from.as_deref())).await?;
        let (items, next) = read(&page)?;
        all.extend(items);
        from = next.map_err(|detail| call.unreadable(detail))?;
        if from.is_none() {
            return Ok(all);
        }
    }
    Err(too_many(most, call))
}

/// All items of a list that a client of the SDK answers.
#[cfg(any(feature = "doctor", feature = "proving"))]
pub(crate) async fn all<T, O, E, F>(
    call: &Call,
    send: impl Fn(Option<String>) -> F + Send,
    read: impl Fn(O) -> (Vec<T>, Next) + Send,
) -> CallResult<Vec<T>>
where
    T: Send,
    O: Send,
    E: ProvideErrorMetadata + Error + Send + 'static,
    F: Future<Output = Answer<O, E>> + Send,
{
    let mut all = Vec::new();
    let mut from = None;
    for _ in 0..MOST_PAGES {
        let page = call.send(send(from)).await?;
        let (items, next) = read(page);
        all.extend(items);
        from = next.map_err(|detail| call.unreadable(detail))?;
        if from.is_none() {
            return Ok(all);
        }
    }
    Err(too_many(MOST_PAGES, call))
}

fn too_many(most: usize, call: &Call) -> CallError {
    call.unreadable(format!("the list has more than {most} pages"))
}
