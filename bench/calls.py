"""The calls that an endpoint recorded: their names, and what is counted of them."""

import bisect
import collections
import dataclasses
import json
import re
import urllib.parse

# AWS Backup's operations, by method and path.
BACKUP = [
    ("GET", r"/copy-jobs/[^/]+", "DescribeCopyJob"),
    ("PUT", r"/copy-jobs", "StartCopyJob"),
    ("GET", r"/copy-jobs", "ListCopyJobs"),
    ("GET", r"/backup-vaults/[^/]+", "DescribeBackupVault"),
    ("GET", r"/backup-vaults/[^/]+/access-policy", "GetBackupVaultAccessPolicy"),
    ("PUT", r"/backup-vaults/[^/]+/access-policy", "PutBackupVaultAccessPolicy"),
    ("GET", r"/backup-vaults/[^/]+/recovery-points/[^/]+", "DescribeRecoveryPoint"),
    ("GET", r"/tags/.+", "ListTags"),
    ("GET", r"/global-settings", "DescribeGlobalSettings"),
    ("GET", r"/account-settings", "DescribeRegionSettings"),
    ("GET", r"/backup/plans/[^/]+", "GetBackupPlan"),
]
# What a body says about the resource, by the member's name.
TOLD = ("KeyId", "RoleArn", "RoleName", "PolicyArn", "TopicArn", "TargetId", "PolicySourceArn")
LONGEST_DETAIL = 100


@dataclasses.dataclass(frozen=True)
class Call:
    """One call, as the endpoint saw it. Times are seconds of one clock: `begin` when its head had arrived, `end` just before its
    answer was sent, so that nothing that waited for the answer began before."""

    service: str
    operation: str
    begin: float
    end: float
    detail: str = ""
    connection: int = 0
    status: int = 200


def named(method, path, headers, body):
    """Service, operation and a detail for people, of a request that was signed or that only STS takes."""
    found = re.search(r"Credential=[^/]+/\d+/[^/]+/([^/]+)/aws4_request", headers.get("authorization", ""))
    service = found[1] if found else "?"
    path, _, _ = path.partition("?")
    if target := headers.get("x-amz-target"):
        return service, target.rpartition(".")[2], detail_of(json.loads(body or b"{}"))
    if headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        form = dict(urllib.parse.parse_qsl(body.decode()))
        return service, form.get("Action", "?"), detail_of(form)
    for of_method, pattern, operation in BACKUP if service == "backup" else ():
        if method == of_method and re.fullmatch(pattern, path):
            return service, operation, urllib.parse.unquote(path)[:LONGEST_DETAIL]
    return service, f"{method} {urllib.parse.unquote(path)[:LONGEST_DETAIL]}", ""


def detail_of(request):
    """What a call is about: the keys of the ledger's items, or the resource."""
    keys = [key for key in ledger_keys(request) if key]
    told = [str(request[name]) for name in TOLD if name in request]
    return ", ".join(keys or told)[:LONGEST_DETAIL]


def ledger_keys(request):
    """The keys of a DynamoDB request's items, in whichever of its shapes."""
    for member in ("Key", "Item"):
        if isinstance(request.get(member), dict):
            yield request[member].get("pk", {}).get("S")
    for item in request.get("TransactItems", []):
        for operation in item.values():
            yield from ledger_keys(operation)
    tables = request.get("RequestItems")
    for table in tables.values() if isinstance(tables, dict) else ():
        for key in table.get("Keys", []) if isinstance(table, dict) else ():
            yield key.get("pk", {}).get("S")


def longest_chain(calls):
    """The longest list of calls in which each began after the one before it had ended; of several the one that ends first."""
    by_end = sorted(calls, key=lambda call: call.end)
    ends = [call.end for call in by_end]
    # best[i]: the longest chain among the first i calls to end, as (length, its last call's index).
    best = [(0, None)]
    length, before = [], []
    for index, call in enumerate(by_end):
        found, last = best[bisect.bisect_right(ends, call.begin, 0, index)]
        length.append(found + 1)
        before.append(last)
        best.append(max(best[-1], (found + 1, index), key=lambda one: one[0]))
    chain, index = [], best[-1][1]
    while index is not None:
        chain.append(by_end[index])
        index = before[index]
    return chain[::-1]


def most_at_once(calls):
    """How many calls were under way at the same time, at most. One that begins as another ends isn't beside it."""
    steps = sorted([(call.begin, 1) for call in calls] + [(call.end, -1) for call in calls])
    now = most = 0
    for _, step in steps:
        now += step
        most = max(most, now)
    return most


def counted(calls):
    """How often each operation was called, by `service:operation`."""
    return dict(sorted(collections.Counter(f"{call.service}:{call.operation}" for call in calls).items()))


def timeline(calls):
    """Every call in the order of begins, with its place in the longest chain, for people."""
    calls = sorted(calls, key=lambda call: call.begin)
    if not calls:
        return "no call"
    places = {id(call): place for place, call in enumerate(longest_chain(calls), 1)}
    start = calls[0].begin
    lines = [" step     from       to  conn  call"]
    for call in calls:
        step = places.get(id(call), "")
        refused = "" if call.status < 300 else f" ({call.status})"
        name = f"{call.service}:{call.operation}{refused}"
        times = f"{(call.begin - start) * 1000:8.1f} {(call.end - start) * 1000:8.1f}"
        lines.append(f"{step:>5} {times} {call.connection:>5}  {name:<42} {call.detail}".rstrip())
    return "\n".join(lines)
