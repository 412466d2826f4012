"""What is remembered, in a DynamoDB table whose key is `pk`."""

import json
import time

from botocore.exceptions import ClientError

KEPT_SECONDS = 90 * 24 * 3600
LEASE_SECONDS = 120


class Ledger:
    def __init__(self, client, table):
        self._client, self._table = client, table

    def claim(self, job_id):
        """Takes a job for this invocation. Answers None, or what became of it: an outcome, or `running`."""
        try:
            self._put(
                f"job#{job_id}",
                {"outcome": {"S": "running"}, "until": number(time.time() + LEASE_SECONDS)},
                "attribute_not_exists(pk) OR (outcome = :running AND #until < :now)",
                {":running": {"S": "running"}, ":now": number(time.time())},
            )
        except ClientError as error:
            return found_instead(error)["outcome"]["S"]
        return None

    def finish(self, job_id, outcome):
        self._put(f"job#{job_id}", {"outcome": {"S": outcome}})

    def lease(self, resource, owner):
        """Whether the policy is this invocation's alone."""
        try:
            self._put(
                f"lease#{resource}",
                {"owner": {"S": owner}, "until": number(time.time() + LEASE_SECONDS)},
                "attribute_not_exists(pk) OR #until < :now",
                {":now": number(time.time())},
            )
        except ClientError as error:
            found_instead(error)
            return False
        return True

    def release(self, resource, owner):
        self._client.delete_item(
            TableName=self._table,
            Key={"pk": {"S": f"lease#{resource}"}},
            ConditionExpression="#owner = :owner",
            ExpressionAttributeNames={"#owner": "owner"},
            ExpressionAttributeValues={":owner": {"S": owner}},
        )

    def record_change(self, job_id, resource, before, added):
        self._put(f"change#{job_id}", {"resource": {"S": resource}, "before": {"S": before}, "added": {"S": json.dumps(added)}})

    def count(self, what, most=None):
        """Counts one more and answers how many there are; None where there would be more than `most`."""
        arguments = {} if most is None else {"ConditionExpression": "attribute_not_exists(#count) OR #count < :most"}
        values = {":one": number(1), ":expires": number(time.time() + KEPT_SECONDS)} | ({} if most is None else {":most": number(most)})
        try:
            answer = self._client.update_item(
                TableName=self._table,
                Key={"pk": {"S": what}},
                UpdateExpression="ADD #count :one SET expires_at = :expires",
                ExpressionAttributeNames={"#count": "count"},
                ExpressionAttributeValues=values,
                ReturnValues="UPDATED_NEW",
                **arguments,
            )
        except ClientError as error:
            found_instead(error)
            return None
        return int(answer["Attributes"]["count"]["N"])

    def _put(self, key, item, condition=None, values=None):
        arguments = {}
        if condition:
            arguments = {
                "ConditionExpression": condition,
                "ExpressionAttributeValues": values,
                "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
            }
            if "#until" in condition:
                arguments["ExpressionAttributeNames"] = {"#until": "until"}
        whole = {"pk": {"S": key}, "expires_at": number(time.time() + KEPT_SECONDS), **item}
        self._client.put_item(TableName=self._table, Item=whole, **arguments)


def number(value):
    return {"N": str(int(value))}


def found_instead(error):
    """The item that a condition met; any other error is one."""
    if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
        raise error
    return error.response.get("Item", {})
