"""Which resource types of the transformed templates the emulator's CloudFormation makes.

A type that the emulator no longer makes fails a test, and so does one that it has learned: move it then.
"""

MADE = {
    "AWS::CloudWatch::Alarm",
    "AWS::CloudWatch::Dashboard",
    "AWS::DynamoDB::Table",
    "AWS::Events::EventBus",
    "AWS::Events::Rule",
    "AWS::IAM::Policy",
    "AWS::IAM::Role",
    "AWS::Lambda::Alias",
    "AWS::Lambda::EventInvokeConfig",
    "AWS::Lambda::EventSourceMapping",
    "AWS::Lambda::Function",
    "AWS::Lambda::Permission",
    "AWS::Logs::LogGroup",
    "AWS::SNS::Subscription",
    "AWS::SNS::Topic",
    "AWS::SNS::TopicPolicy",
    "AWS::SQS::Queue",
    "AWS::SQS::QueuePolicy",
}
# The emulator refuses a template with one of these, so emulator.py has a stand-in for each. It makes what the type is for with what
# the emulator does know.
UNKNOWN = {
    "AWS::Events::EventBusPolicy",
    "AWS::IAM::RolePolicy",
}
