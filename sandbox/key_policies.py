"""AWS KMS tells an unchanged key policy differently from call to call: the lists of its statements come in another order.

Seen with AWS (terraform-provider-aws issues 39788 and 30232, aws-cli issue 9456). The layout is that of AWS's own examples.
"""

import json


def in_another_order(policy, number):
    """The policy as the call of that number, counted from 0, tells it. Two calls in succession tell every list of more than one item
    differently; the same number leads to the same text."""
    try:
        document = json.loads(policy)
    except ValueError:
        return policy
    statements = document.get("Statement", []) if isinstance(document, dict) else []
    for statement in statements if isinstance(statements, list) else [statements]:
        _reorder(statement, number + 1)
    return json.dumps(document, indent=2, separators=(",", " : "), ensure_ascii=False)


def _reorder(value, number):
    """Turns every list below `value` one item further for each call, and every second round of a longer list around."""
    if isinstance(value, dict):
        for member in value.values():
            _reorder(member, number)
    elif isinstance(value, list):
        rounds, turned = divmod(number, len(value) or 1)
        if len(value) > 2 and rounds % 2:
            value.reverse()
        value[:] = value[turned:] + value[:turned]
