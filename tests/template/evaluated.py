"""A template as CloudFormation would make it from given parameters: conditions decided, functions answered.

The names that CloudFormation and AWS give are as long as they can be, for a stack whose name is as long as docs/deploying.md allows.
"""

import re

from transformed import as_list

ACCOUNT = "999900001111"
# The name prefix and the stack's name have 34 characters together: a role's name has 64 at most.
STACK = "s" * 34
PSEUDO = {
    "AWS::AccountId": ACCOUNT,
    "AWS::Partition": "aws-us-gov",
    "AWS::Region": "ap-northeast-1",
    "AWS::StackName": STACK,
    "AWS::URLSuffix": "amazonaws.com",
}
NOTHING = object()


def evaluated(template, **given):
    """The resources that the parameters make, by their logical names, each with its properties."""
    return Evaluation(template, given).resources()


class Evaluation:
    def __init__(self, template, given):
        self.template = template
        defaults = {name: str(one.get("Default", "")) for name, one in template["Parameters"].items()}
        unknown = set(given) - set(defaults)
        assert not unknown, f"no parameters: {unknown}"
        prefix = given.get("NamePrefix", "")
        self.values = PSEUDO | {"AWS::StackName": STACK[len(prefix) :]} | defaults | given

    def resources(self):
        made = {}
        for name, resource in self.template["Resources"].items():
            if "Condition" not in resource or self.holds(resource["Condition"]):
                made[name] = resource | {"Properties": self.answer(resource.get("Properties", {}))}
        return made

    def holds(self, condition):
        if isinstance(condition, str):
            return self.holds(self.template["Conditions"][condition])
        [(function, arguments)] = condition.items()
        if function == "Condition":
            return self.holds(arguments)
        if function == "Fn::Equals":
            left, right = (self.answer(one) for one in arguments)
            return left == right
        one = [self.holds(argument) for argument in arguments]
        return {"Fn::And": all, "Fn::Or": any, "Fn::Not": lambda values: not values[0]}[function](one)

    def answer(self, value):
        if isinstance(value, list):
            return [one for one in map(self.answer, value) if one is not NOTHING]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            [(function, arguments)] = value.items()
            if function == "Ref":
                return self.reference(arguments)
            if function.startswith("Fn::"):
                return getattr(self, function.removeprefix("Fn::").lower())(arguments)
        answered = {key: self.answer(one) for key, one in value.items()}
        return {key: one for key, one in answered.items() if one is not NOTHING}

    def reference(self, name):
        if name == "AWS::NoValue":
            return NOTHING
        return self.values[name] if name in self.values else self.identifier(name)

    def identifier(self, name):
        kind = self.template["Resources"][name]["Type"]
        if kind == "AWS::SNS::Topic":
            return self.arn(name)
        if kind == "AWS::SQS::Queue":
            return f"https://sqs.{self.values['AWS::Region']}.amazonaws.com/{ACCOUNT}/{self.name(name)}"
        return self.name(name)

    def name(self, name):
        properties = self.template["Resources"][name].get("Properties", {})
        own = properties.get("RoleName", properties.get("Name"))
        return self.answer(own) if own else f"{self.values['AWS::StackName']}-{name}-1A2B3C4D5E6F7"

    def arn(self, name):
        kind = self.template["Resources"][name]["Type"]
        if kind == "AWS::IAM::Role":
            path = self.answer(self.template["Resources"][name]["Properties"]["Path"])
            return f"arn:{self.values['AWS::Partition']}:iam::{ACCOUNT}:role{path}{self.name(name)}"
        service, place = {
            "AWS::DynamoDB::Table": ("dynamodb", "table/"),
            "AWS::Events::EventBus": ("events", "event-bus/"),
            "AWS::Events::Rule": ("events", "rule/a-bus/"),
            "AWS::Lambda::Function": ("lambda", "function:"),
            "AWS::Logs::LogGroup": ("logs", "log-group:"),
            "AWS::SNS::Topic": ("sns", ""),
            "AWS::SQS::Queue": ("sqs", ""),
        }[kind]
        return f"arn:{self.values['AWS::Partition']}:{service}:{self.values['AWS::Region']}:{ACCOUNT}:{place}{self.name(name)}"

    def getatt(self, arguments):
        name, attribute = arguments
        return {"Arn": self.arn, "QueueName": self.name, "TopicName": self.name}[attribute](name)

    def sub(self, arguments):
        text, variables = arguments if isinstance(arguments, list) else (arguments, {})
        known = {key: self.answer(one) for key, one in variables.items()}

        def replaced(match):
            name = match[1]
            if name in known:
                return str(known[name])
            return str(self.getatt(name.split(".", 1)) if "." in name else self.reference(name))

        return re.sub(r"\$\{([^!}][^}]*)\}", replaced, text)

    def join(self, arguments):
        delimiter, items = arguments
        return delimiter.join(map(str, as_list(self.answer(items))))

    def split(self, arguments):
        delimiter, text = arguments
        return self.answer(text).split(delimiter)

    def select(self, arguments):
        index, items = arguments
        return self.answer(items)[int(index)]

    # `if` is no name for a method; `getattr` finds it by the one of the function.
    def choose(self, arguments):
        condition, then, otherwise = arguments
        return self.answer(then if self.holds(condition) else otherwise)


setattr(Evaluation, "if", Evaluation.choose)
