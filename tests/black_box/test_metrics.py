"""The metrics that the functions print, against the alarms and the dashboard that rest on them."""

import json
import re

import world as w
from conftest import ROOT
from expect import report

NAME = "copymend-metrics"


def lines(function):
    """What the function printed in the embedded metric format: each line by its second dimension and metric."""
    found = []
    for line in function.process.output().splitlines():
        if '"_aws"' not in line:
            continue
        # Nothing stands around such a line, or CloudWatch takes it for text.
        printed = json.loads(line)
        [described] = printed["_aws"]["CloudWatchMetrics"]
        [dimensions] = described["Dimensions"]
        assert described["Namespace"] == "Copymend"
        assert printed["Function"] == NAME and printed["level"] == "INFO" and printed["timestamp"].endswith("Z")
        for metric in described["Metrics"]:
            value = printed[metric["Name"]]
            assert isinstance(value, int | float)
            found.append((metric["Name"], *(f"{name}={printed[name]}" for name in dimensions if name != "Function"), value))
    return sorted(found)


def watched():
    """What the template's alarms and dashboard look at: each metric with its second dimension."""
    text = (ROOT / "template.yaml").read_text()
    alarms = {(name, None) for name in re.findall(r"Namespace: Copymend\n\s+MetricName: (\w+)", text)}
    assert {"SweepsCompleted", "SweepFailures"} <= {name for name, _ in alarms}
    searched = {(name, dimension) for dimension, name in re.findall(r'\{Copymend,Function,(\w+)\} MetricName=\\"(\w+)\\"', text)}
    assert len(searched) == 3
    drawn = {(name, None) for name in re.findall(r'"Copymend", "(\w+)", "Function"', text)}
    assert ("EventsHandled", None) in drawn
    return alarms | searched | drawn


def test_every_metric_that_is_watched_is_one_that_the_function_prints(make_world, start):
    world = make_world(vault_policy=w.VAULT_CLOSED)
    function = start(world, AWS_LAMBDA_FUNCTION_NAME=NAME)
    event = world.failed_copy()

    assert report(function.invoke(event))["outcome"] == "repaired-and-retried"
    cause = "Cause=destination-vault-policy"
    assert lines(function) == [
        ("EventsHandled", 1.0),
        ("Failures", cause, 1.0),
        ("Repairs", cause, 1.0),
        ("Retries", 1.0),
    ]
    # The same event again is handled, and no second failure.
    assert report(function.invoke(event))["outcome"] == "already-handled"
    assert lines(function)[:3] == [("EventsHandled", 1.0), ("EventsHandled", 1.0), ("Failures", cause, 1.0)]

    sweep = {"detail-type": "Copymend Sweep", "detail": {"accounts": [w.SOURCE], "regions": [w.REGION]}}
    assert function.invoke(sweep)["failed"] == 0
    preflight = {"source": "copymend"} | sweep | {"detail-type": "Copymend Preflight"}
    assert function.invoke(preflight)["preflight"] == "told"
    assert ("PreflightsCompleted", 1.0) in lines(function) and ("RoutesThatWillFail", 0.0) in lines(function)
    printed = {(name, of[0].split("=")[0] if len(of) > 1 else None) for name, *of in lines(function)}
    world = make_world(vault_policy=w.VAULT_CLOSED)
    refused = start(world, AWS_LAMBDA_FUNCTION_NAME=NAME, COPYMEND_ALLOWED_SOURCES="")
    assert report(refused.invoke(world.failed_copy()))["outcome"] in ("refused", "advised")
    printed |= {(name, of[0].split("=")[0] if len(of) > 1 else None) for name, *of in lines(refused)}
    # A copy that works again is the one thing that didn't happen here.
    assert watched() - printed == {("SecondsToGoodCopy", None)}
