//! What is asked for before the other facts, because a further question follows from the answer.

use std::sync::atomic::{AtomicBool, Ordering};

use copymend_diagnosis::{BackupCopy, Organization};
use copymend_policy::AccountId;
use tokio::sync::OnceCell;

use crate::ports::CallResult;
use crate::recall::Recollection;

/// The organization of the account that a confirmed copy comes from. It names the management account, which has the
/// setting for copies between accounts: what is asked there waits for this answer, and for a session there.
#[derive(Debug)]
pub(crate) struct OrganizationAhead {
    account: AccountId,
    partition: String,
    answer: OnceCell<CallResult<Option<Organization>>>,
    is_taken: AtomicBool,
}

impl OrganizationAhead {
    /// Of a confirmed copy that will be investigated, with nothing asked yet. One that a repair for another copy
    /// admits isn't, as a rule.
    pub(crate) fn of_event(
        copy: Option<&BackupCopy>,
        recalled: Option<&Recollection>,
    ) -> Option<Self> {
        let copy = copy.filter(|_| !recalled.is_some_and(Recollection::is_admitted))?;
        Some(Self {
            account: copy.account,
            partition: copy.destination_vault.partition().to_owned(),
            answer: OnceCell::new(),
            is_taken: AtomicBool::new(false),
        })
    }

    /// For the first investigation of an event. A later one reads it anew.
    pub(crate) fn take(&self) -> Option<&Self> {
        (!self.is_taken.swap(true, Ordering::Relaxed)).then_some(self)
    }

    /// The organization of an account: the answer that is here or on its way, if it is this account's. What could not
    /// be read is read anew.
    pub(crate) async fn of(
        &self,
        (account, partition): (AccountId, &str),
        read: impl Future<Output = CallResult<Option<Organization>>>,
    ) -> CallResult<Option<Organization>> {
        let is_of_another = (account, partition) != (self.account, self.partition.as_str());
        if is_of_another || matches!(self.answer.get(), Some(Err(_))) {
            return read.await;
        }
        self.answer.get_or_init(|| read).await.clone()
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use futures_util::FutureExt as _;
    use tokio::sync::oneshot;

    use super::*;
    use crate::ports::{CallError, CallErrorKind};

    const SOURCE: &str = "111122223333";

    fn ahead() -> OrganizationAhead {
        OrganizationAhead {
            account: SOURCE.parse().unwrap(),
            partition: "aws".to_owned(),
            answer: OnceCell::new(),
            is_taken: AtomicBool::new(false),
        }
    }

    fn failed() -> CallError {
        let operation = "organizations:DescribeOrganization";
        CallError::new(operation, SOURCE, CallErrorKind::Throttled, "slow down")
    }

    #[test]
    fn an_answer_is_waited_for_and_not_asked_twice() {
        let ahead = ahead();
        let account: AccountId = SOURCE.parse().unwrap();
        let (answer, asked) = oneshot::channel();
        let mut first = Box::pin(ahead.of((account, "aws"), async { asked.await.unwrap() }));
        assert_eq!(first.as_mut().now_or_never(), None);
        let never = async { unreachable!("it is on its way") };
        let mut second = Box::pin(ahead.of((account, "aws"), never));
        assert_eq!(second.as_mut().now_or_never(), None);
        answer.send(Ok(None)).unwrap();
        assert_eq!(first.now_or_never(), Some(Ok(None)));
        assert_eq!(second.now_or_never(), Some(Ok(None)));
    }

    #[test]
    fn another_account_and_what_could_not_be_read_are_asked_for() {
        let source: AccountId = SOURCE.parse().unwrap();
        let other: AccountId = "444455556666".parse().unwrap();
        let asked = Cell::new(0);
        let count = || async {
            asked.set(asked.get() + 1);
            Ok(None)
        };
        let read = |ahead: &OrganizationAhead, account, partition| {
            ahead
                .of((account, partition), count())
                .now_or_never()
                .unwrap()
        };
        let ahead = ahead();
        let error = ahead.of((source, "aws"), async { Err(failed()) });
        assert_eq!(error.now_or_never(), Some(Err(failed())));
        for account in [(source, "aws"), (source, "aws-cn"), (other, "aws")] {
            let before = asked.get();
            assert_eq!(read(&ahead, account.0, account.1), Ok(None));
            assert_eq!(asked.get(), before + 1, "{account:?}");
        }
    }

    #[test]
    fn a_second_investigation_asks_anew() {
        let ahead = ahead();
        assert!(ahead.take().is_some());
        assert!(ahead.take().is_none());
    }
}
