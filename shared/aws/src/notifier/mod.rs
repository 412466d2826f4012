//! The ways to people: two topics of Amazon SNS and a bus of Amazon EventBridge.

mod bus;
mod topic;

use aws_config::{Region, SdkConfig};
use copymend_policy::Arn;
use copymend_remediation::message::{Channel, Channels, Message};
use copymend_remediation::ports::{CallResult, Notifier};
use copymend_remediation::settings::Deployment;
use copymend_report::{Email, Notice, email_of_message};

use bus::ReportBus;
use topic::Topic;

#[cfg(test)]
pub(crate) use topic::{json_structure, subject};

/// Tells people by the channels of a function's settings, each in its own Region.
#[derive(Debug)]
pub struct AwsNotifier {
    topic: Option<Topic>,
    chat: Option<Topic>,
    bus: Option<ReportBus>,
}

impl AwsNotifier {
    pub(crate) fn new(config: &SdkConfig, deployment: &Deployment) -> Self {
        let topic = |arn: &Option<String>| arn.as_deref().map(|arn| Topic::new(config, arn));
        let bus = deployment.report_bus.as_deref();
        Self {
            topic: topic(&deployment.topic_arn),
            chat: topic(&deployment.chat_topic_arn),
            bus: bus.map(|bus| ReportBus::new(config, bus)),
        }
    }
}

/// The configuration for what has this ARN, in its Region.
fn in_its_region(config: &SdkConfig, arn: &str) -> SdkConfig {
    let region = arn.parse().ok().map(|arn: Arn| arn.region().to_owned());
    match region.filter(|region| !region.is_empty()) {
        Some(region) => config.to_builder().region(Region::new(region)).build(),
        None => config.clone(),
    }
}

impl Notifier for AwsNotifier {
    fn channels(&self) -> Channels {
        let set = [
            self.topic.as_ref().map(|_| Channel::Topic),
            self.chat.as_ref().map(|_| Channel::Chat),
            self.bus.as_ref().map(|_| Channel::ReportBus),
        ];
        let channels: Channels = set.into_iter().flatten().collect();
        if channels.is_empty() {
            Channels::from([Channel::Log])
        } else {
            channels
        }
    }

    async fn send(&self, message: Message<'_>, channel: Channel) -> CallResult<()> {
        let email = email_of_message(message);
        let notice = Notice::beside(message, &email);
        match channel {
            Channel::Topic => match &self.topic {
                Some(topic) => topic.publish_to_all(email, &notice).await,
                None => Ok(()),
            },
            Channel::Chat => match &self.chat {
                Some(topic) => {
                    let chat = copymend_report::chat(message, &notice);
                    topic.publish_to_chat(chat, &notice).await
                }
                None => Ok(()),
            },
            Channel::ReportBus => match &self.bus {
                Some(bus) => bus.put(&notice).await,
                None => Ok(()),
            },
            Channel::Log => {
                log(&email);
                Ok(())
            }
        }
    }
}

fn log(email: &Email) {
    tracing::info!(
        subject = email.subject,
        message = email.body,
        "no topic is set; this is the message"
    );
}
