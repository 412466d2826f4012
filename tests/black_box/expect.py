"""What tests expect of answers and policies."""

import json


def report(answer):
    """Checks the shape that other programs rely on, and answers the report."""
    assert "errorType" not in answer, answer
    assert isinstance(answer["event"], str)
    assert isinstance(answer["diagnosis"]["cause"], str)
    assert isinstance(answer["diagnosis"]["candidates"], list)
    assert isinstance(answer["decision"], str)
    assert isinstance(answer["outcome"], str)
    for guard in answer["guards"]:
        assert isinstance(guard["name"], str) and isinstance(guard["passed"], bool) and isinstance(guard["detail"], str)
    for change in answer["changes"]:
        assert isinstance(change["resource"], str) and isinstance(change["after"], str)
        assert change["before"] is None or isinstance(change["before"], str)
    assert answer["retried_job"] is None or isinstance(answer["retried_job"], str)
    return answer


def failed_guards(answer):
    return [guard["name"] for guard in answer["guards"] if not guard["passed"]]


def added_statements(before, after, old_statements):
    """The statements that `after` has and `before` hasn't. Everything old must be where and as it was."""
    old, new = json.loads(before), json.loads(after)
    count = len(old["Statement"])
    assert new["Statement"][:count] == old["Statement"]
    assert {key: value for key, value in new.items() if key != "Statement"} == {
        key: value for key, value in old.items() if key != "Statement"
    }
    for text in old_statements:
        assert text in after, f"not byte for byte as before: {text}"
    return new["Statement"][count:]


def as_sets(value):
    """JSON without the order of its lists, which AWS KMS changes from call to call."""
    if isinstance(value, dict):
        return {name: as_sets(member) for name, member in value.items()}
    if isinstance(value, list):
        return sorted((as_sets(item) for item in value), key=lambda item: json.dumps(item, sort_keys=True))
    return value


def says_the_same(left, right):
    return as_sets(json.loads(left)) == as_sets(json.loads(right))


def error(answer, error_type):
    assert answer.get("errorType") == error_type, answer
    assert answer["errorMessage"]
