//! Lists that come in pages.

use std::error::Error;

use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use copymend_remediation::ports::CallResult;

use crate::error::{Answer, Call};
use crate::member::text;

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

/// All items of a list. `send` asks for the page at a marker, `read` takes an answer apart.
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
    up_to(MOST_PAGES, call, send, read).await
}

/// The same of a list that may have `most` pages.
pub(crate) async fn up_to<T, O, E, F>(
    most: usize,
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
    for _ in 0..most {
        let page = call.send(send(from)).await?;
        let (items, next) = read(page);
        all.extend(items);
        from = next.map_err(|detail| call.unreadable(detail))?;
        if from.is_none() {
            return Ok(all);
        }
    }
    Err(call.unreadable(format!("the list has more than {most} pages")))
}
