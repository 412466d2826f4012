//! The channels of the faulty environment, some of which may be lost.

use copymend_remediation::message::{Channel, Channels, Message};
use copymend_remediation::ports::{CallErrorKind, CallResult, Clock, Notifier, Reads};

use super::{Faulty, end, error};

impl Faulty {
    /// Lets every call of these channels fail from now on, and of no others.
    pub(crate) fn lose(&self, channels: &[Channel], kind: CallErrorKind) {
        let lost = channels.iter().map(|&channel| (channel, kind)).collect();
        *self.state.lost.lock().unwrap() = lost;
    }
}

impl Notifier for Faulty {
    fn channels(&self) -> Channels {
        self.inner.notifier().channels()
    }

    async fn send(&self, message: Message<'_>, channel: Channel) -> CallResult<()> {
        let call = match (message, channel) {
            (Message::Report(_), Channel::Chat) => "notify_chat",
            (Message::Report(_), Channel::ReportBus) => "notify_report_bus",
            (Message::Report(_), Channel::Topic | Channel::Log) => "notify",
            (Message::LeftOut(_), _) => "notify_left_out",
            (Message::Test(_), _) => "notify_test",
            (Message::Preflight(_), _) => "notify_preflight",
            (Message::Digest(_), _) => "notify_digest",
        };
        let fault = self.begin(call)?;
        let lost = self.state.lost.lock().unwrap().get(&channel).copied();
        if let Some(kind) = lost {
            return Err(error("sns:Publish", kind));
        }
        self.state.sent_at.lock().unwrap().push(self.now());
        let answer = self.inner.notifier().send(message, channel).await;
        end(call, fault, answer)
    }
}
