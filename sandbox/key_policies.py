"""AWS KMS tells an unchanged key policy differently from call to call: the lists of its statements come in another order.

Seen with AWS (terraform-provider-aws issues 39788 and 30232, aws-cli issue 9456). The layout is that of AWS's own examples.
"""

import json
import random


def in_another_order(policy, number):
    """The policy as the call of that number tells it. The same number leads to the same text."""
    try:
        document = json.loads(policy)
    except ValueError:
        return policy
    statements = document.get("Statement", []) if isinstance(document, dict) else []
    chance = random.Random(number)
    for statement in statements if isinstance(statements, list) else [statements]:
        _reorder(statement, chance)
    return json.dumps(document, indent=2, separators=(",", " : "), ensure_ascii=False)


def _reorder(value, chance):
    """Moves the items of every list below `value`. Only the order of a list of one stays."""
    if isinstance(value, dict):
        for member in value.values():
            _reorder(member, chance)
    elif isinstance(value, list):
        before = list(value)
        chance.shuffle(value)
        if value == before:
            value.append(value.pop(0))
