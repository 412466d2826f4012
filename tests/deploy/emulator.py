"""The emulator's server, with what it lacks of CloudFormation and these templates need:

- a stand-in for each resource type of resource_types.UNKNOWN that it doesn't know;
- conditions that compare pseudo parameters, or a part of a string;
- names that another stack of the same name doesn't get again;
- Lambda's limit of 4 KB for a function's environment;
- the concurrency that a function reserves, as much as an account has;
- alarms on more than one metric;
- condition keys that the policy simulator is told, and roles with a path there;
- whole policies of event buses;
- numbers of an event source mapping that a parameter gives, and a table's point-in-time recovery and time to live;
- the word that Amazon SNS lists in place of the ARN of a subscription that waits for its confirmation;
- capabilities that a template needs and nobody gave, which it asks for only where it checks every caller.

Prints `knows TYPE` for every type of the table that it knows by itself, and then serves on GATEWAY_PORT.
"""

import json
from contextvars import ContextVar

from ministack.app import main
from ministack.core import iam_evaluator
from ministack.core.responses import get_account_id, get_region
from ministack.services import cloudformation, dynamodb, eventbridge, iam, lambda_svc, sns
from ministack.services.cloudformation import changesets, engine, handlers, provisioners, stacks

from resource_types import MADE, UNKNOWN

HANDLERS = provisioners._RESOURCE_HANDLERS
POLICY = HANDLERS["AWS::IAM::Policy"]
FUNCTION = HANDLERS["AWS::Lambda::Function"]
ENVIRONMENT_LIMIT = 4096
ACCOUNT_CONCURRENCY, KEPT_UNRESERVED = 1000, 100


def as_policy(properties):
    """An inline policy of one role, as the older type says it."""
    return {
        "PolicyName": properties["PolicyName"],
        "PolicyDocument": properties["PolicyDocument"],
        "Roles": [properties["RoleName"]],
    }


def put_statement(logical_id, properties, stack_name):
    eventbridge._put_permission(
        {"EventBusName": properties["EventBusName"], "StatementId": properties["StatementId"], **properties["Statement"]}
    )
    return f"{properties['EventBusName']}|{properties['StatementId']}", {}


STAND_INS = {
    "AWS::IAM::RolePolicy": {
        "create": lambda logical_id, properties, stack: POLICY["create"](logical_id, as_policy(properties), stack),
        "update": lambda physical_id, old, new, stack, logical_id: POLICY["update"](
            physical_id, as_policy(old), as_policy(new), stack, logical_id
        ),
        "update_with_logical_id": True,
        "delete": lambda physical_id, properties: POLICY["delete"](physical_id, as_policy(properties)),
    },
    "AWS::Events::EventBusPolicy": {
        "create": put_statement,
        "delete": lambda physical_id, properties: eventbridge._remove_permission(properties),
    },
}

def split(value, parameters):
    """A condition with every string that is split as its parts."""
    if isinstance(value, dict):
        if "Fn::Split" in value:
            delimiter, text = value["Fn::Split"]
            return parameters[text["Ref"]]["Value"].split(delimiter)
        return {key: split(one, parameters) for key, one in value.items()}
    if isinstance(value, list):
        return [split(one, parameters) for one in value]
    return value


def patch_conditions():
    evaluate = engine._evaluate_conditions

    def evaluated(template, parameters):
        known = {**parameters, "AWS::Region": {"Value": get_region()}, "AWS::AccountId": {"Value": get_account_id()}}
        return evaluate({**template, "Conditions": split(template.get("Conditions", {}), known)}, known)

    for module in (changesets, engine, handlers, stacks):
        module._evaluate_conditions = evaluated


def patch_names():
    named = provisioners._physical_name

    def name(stack_name, logical_id, **options):
        stack = cloudformation._stacks.get(stack_name)
        if stack is None or provisioners._NAME_SEED.get():
            return named(stack_name, logical_id, **options)
        token = provisioners._NAME_SEED.set(stack["StackId"])
        try:
            return named(stack_name, logical_id, **options)
        finally:
            provisioners._NAME_SEED.reset(token)

    provisioners._physical_name = name


def patch_environment_limit():
    create = FUNCTION["create"]

    def limited(logical_id, properties, stack_name):
        variables = properties.get("Environment", {}).get("Variables", {})
        if len(json.dumps(variables, separators=(",", ":"))) > ENVIRONMENT_LIMIT:
            raise ValueError(
                "Lambda was unable to configure your environment variables because the environment variables you have provided "
                "exceeded the 4KB limit."
            )
        return create(logical_id, properties, stack_name)

    FUNCTION["create"] = limited


def patch_reserved_concurrency():
    create, update = FUNCTION["create"], FUNCTION["update"]

    def reserving(properties, made):
        number = properties.get("ReservedConcurrentExecutions")
        if number is None:
            lambda_svc._delete_function_concurrency(made[0])
        elif int(number) > ACCOUNT_CONCURRENCY - KEPT_UNRESERVED:
            raise ValueError(
                "Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below its "
                f"minimum value of [{KEPT_UNRESERVED}]."
            )
        else:
            lambda_svc._put_function_concurrency(made[0], {"ReservedConcurrentExecutions": int(number)})
        return made

    def created(logical_id, properties, stack_name):
        return reserving(properties, create(logical_id, properties, stack_name))

    def updated(physical_id, old, new, stack_name, logical_id=None):
        return reserving(new, update(physical_id, old, new, stack_name, logical_id))

    FUNCTION["create"], FUNCTION["update"] = created, updated


def patch_simulation():
    told = ContextVar("told", default={})
    simulate, evaluate = iam._simulate_principal_policy, iam_evaluator.evaluate

    def entries(parameters):
        number = 1
        while name := iam._p(parameters, f"ContextEntries.member.{number}.ContextKeyName"):
            yield name.lower(), iam._p(parameters, f"ContextEntries.member.{number}.ContextKeyValues.member.1")
            number += 1

    def simulated(parameters):
        token = told.set(dict(entries(parameters)))
        try:
            return simulate(parameters)
        finally:
            told.reset(token)

    def evaluated(context, *arguments, **options):
        context.service_context.update(told.get())
        return evaluate(context, *arguments, **options)

    gather = iam_evaluator._gather_role_policies
    iam._IAM_HANDLERS["SimulatePrincipalPolicy"] = simulated
    iam_evaluator.evaluate = evaluated
    iam_evaluator._gather_role_policies = lambda path, account: gather(path.rsplit("/", 1)[-1], account)


def patch_bus_policies():
    put = eventbridge._put_permission

    def put_whole(data):
        if "Policy" not in data:
            return put(data)
        eventbridge._event_bus_policies[data.get("EventBusName", "default")] = json.loads(data["Policy"])
        return eventbridge.json_response({})

    eventbridge._put_permission = put_whole


def patch_made_resources():
    mapping, table = HANDLERS["AWS::Lambda::EventSourceMapping"], HANDLERS["AWS::DynamoDB::Table"]
    map_events, make_table = mapping["create"], table["create"]

    def mapped(logical_id, properties, stack_name):
        scaling = {key: int(number) for key, number in properties.get("ScalingConfig", {}).items()}
        return map_events(logical_id, properties | ({"ScalingConfig": scaling} if scaling else {}), stack_name)

    def tabled(logical_id, properties, stack_name):
        made = make_table(logical_id, properties, stack_name)
        recovery = properties.get("PointInTimeRecoverySpecification")
        if recovery:
            dynamodb._update_continuous_backups({"TableName": made[0], "PointInTimeRecoverySpecification": recovery})
        time_to_live = properties.get("TimeToLiveSpecification")
        if time_to_live:
            dynamodb._update_ttl({"TableName": made[0], "TimeToLiveSpecification": time_to_live})
        return made

    mapping["create"], table["create"] = mapped, tabled


def patch_pending_subscriptions():
    listed = sns._list_subscriptions_by_topic

    def with_pending(parameters):
        status, headers, body = listed(parameters)
        topic, _ = sns._get_topic(sns._p(parameters, "TopicArn"), "sns:ListSubscriptionsByTopic")
        for subscription in topic["subscriptions"] if topic else []:
            if not subscription["confirmed"]:
                body = body.replace(
                    f"<SubscriptionArn>{subscription['arn']}<".encode(), b"<SubscriptionArn>PendingConfirmation<"
                )
        return status, headers, body

    sns._list_subscriptions_by_topic = with_pending


def patch_alarms():
    """An alarm on a sum of metrics is kept as one on the first of them: the emulator knows no others, and evaluates none here."""
    recorded = provisioners._cw_metric_alarm_record

    def record(name, properties):
        metrics = [one["MetricStat"] for one in properties.get("Metrics") or [] if "MetricStat" in one]
        if metrics:
            plain = {key: value for key, value in properties.items() if key != "Metrics"}
            properties = plain | metrics[0]["Metric"] | {"Period": metrics[0]["Period"], "Statistic": metrics[0]["Stat"]}
        return recorded(name, properties)

    provisioners._cw_metric_alarm_record = record


if __name__ == "__main__":
    patch_simulation()
    patch_pending_subscriptions()
    patch_bus_policies()
    patch_made_resources()
    patch_conditions()
    patch_names()
    handlers._capabilities_enforced = lambda: True
    patch_environment_limit()
    patch_reserved_concurrency()
    patch_alarms()
    for kind in sorted(MADE | UNKNOWN):
        if kind in HANDLERS:
            print(f"knows {kind}", flush=True)
    for kind, stand_in in STAND_INS.items():
        HANDLERS.setdefault(kind, stand_in)
    main()
