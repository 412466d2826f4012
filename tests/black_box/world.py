"""An organization with a source and a destination account: in moto what moto knows, in the world file the rest.

    source 111122223333, us-east-1: vault `prod` with an encrypted EBS snapshot, its key, the job role, the function's topic,
        queue and ledger
    destination 444455556666, eu-west-1: vault `dr`, its key, the member role, AWS Backup's service-linked role
"""

import http.client
import json
import time
import urllib.request

import boto3
from botocore.config import Config

MANAGEMENT = "999988887777"
SOURCE = "111122223333"
DESTINATION = "444455556666"
STRANGER = "777788889999"
REGION = "us-east-1"
DESTINATION_REGION = "eu-west-1"

ROOT_PATH = "r-ab12"
RECOVERY_POINT = f"arn:aws:ec2:{REGION}::snapshot/snap-0123456789abcdef0"
VOLUME = f"arn:aws:ec2:{REGION}:{SOURCE}:volume/vol-0123456789abcdef0"
SOURCE_VAULT_NAME = "prod"
SOURCE_VAULT = f"arn:aws:backup:{REGION}:{SOURCE}:backup-vault:{SOURCE_VAULT_NAME}"
DESTINATION_VAULT_NAME = "dr"
DESTINATION_VAULT = f"arn:aws:backup:{DESTINATION_REGION}:{DESTINATION}:backup-vault:{DESTINATION_VAULT_NAME}"
JOB_ROLE_NAME = "AWSBackupDefaultServiceRole"
JOB_ROLE = f"arn:aws:iam::{SOURCE}:role/service-role/{JOB_ROLE_NAME}"
JOB_ROLE_POLICY = "arn:aws:iam::aws:policy/service-role/AWSBackupServiceRolePolicyForBackup"
SERVICE_LINKED_ROLE_NAME = "AWSServiceRoleForBackup"
SERVICE_LINKED_ROLE_PATH = "/aws-service-role/backup.amazonaws.com/"
MEMBER_ROLE = "CopymendMember"
EXTERNAL_ID = "black-box-external-id"
TOPIC = "copymend"
LEDGER = "copymend-ledger"


# Statements are kept as text, in layouts of their own, since a repair has to leave them byte for byte.
KEY_ADMINISTRATION = (
    '{"Sid": "Enable IAM User Permissions", "Effect": "Allow",'
    f' "Principal": {{"AWS": "arn:aws:iam::{SOURCE}:root"}}, "Action": "kms:*", "Resource": "*"}}'
)
KEY_FOR_DESTINATION = (
    f'{{"Sid":"CopiesToDr","Effect":"Allow","Principal":{{"AWS":"arn:aws:iam::{DESTINATION}:root"}},'
    '"Action":["kms:DescribeKey","kms:Encrypt","kms:Decrypt","kms:ReEncrypt*","kms:GenerateDataKey*","kms:CreateGrant",'
    '"kms:ListGrants","kms:RevokeGrant"],"Resource":"*"}'
)
KEY_DENIES_DESTINATION = (
    f'{{"Sid":"Fenced","Effect":"Deny","Principal":{{"AWS":"arn:aws:iam::{DESTINATION}:root"}},'
    '"Action":["kms:DescribeKey","kms:CreateGrant","kms:ReEncryptFrom"],"Resource":"*"}'
)
VAULT_FOR_STRANGER = (
    f'{{ "Sid" : "Partner", "Effect" : "Allow", "Principal" : {{ "AWS" : "arn:aws:iam::{STRANGER}:root" }},\n'
    '      "Action" : "backup:CopyIntoBackupVault", "Resource" : "*" }'
)
VAULT_KEEPS_RECOVERY_POINTS = (
    '{"Effect":"Deny","Principal":"*","Action":"backup:DeleteRecoveryPoint","Resource":"*",'
    '"Condition":{"StringNotLike":{"aws:PrincipalArn":["arn:aws:iam::*:role/vault-admin"]}}}'
)
VAULT_FOR_SOURCE = (
    f'{{"Sid":"FromProd","Effect":"Allow","Principal":{{"AWS":"arn:aws:iam::{SOURCE}:root"}},'
    '"Action":"backup:CopyIntoBackupVault","Resource":"*"}'
)
VAULT_DENIES_SOURCE = (
    f'{{"Sid":"NoProd","Effect":"Deny","Principal":{{"AWS":"arn:aws:iam::{SOURCE}:root"}},'
    '"Action":"backup:CopyIntoBackupVault","Resource":"*"}'
)


def policy(*statements):
    return '{\n  "Version": "2012-10-17",\n  "Statement": [\n    ' + ",\n    ".join(statements) + "\n  ]\n}"


KEY_OPEN = policy(KEY_ADMINISTRATION, KEY_FOR_DESTINATION)
KEY_CLOSED = policy(KEY_ADMINISTRATION)
KEY_DENIED = policy(KEY_ADMINISTRATION, KEY_FOR_DESTINATION, KEY_DENIES_DESTINATION)
VAULT_OPEN = policy(VAULT_KEEPS_RECOVERY_POINTS, VAULT_FOR_SOURCE)
VAULT_CLOSED = policy(VAULT_KEEPS_RECOVERY_POINTS, VAULT_FOR_STRANGER)
VAULT_DENIED = policy(VAULT_FOR_SOURCE, VAULT_DENIES_SOURCE)


class World:
    """The world of one test. moto must be empty."""

    def __init__(self, moto_url, *, vault_policy=VAULT_OPEN, key_policy=KEY_OPEN, key_tags=()):
        self.moto_url = moto_url
        self.vault_policy_at_start = vault_policy
        self.key_policy_at_start = key_policy
        self.endpoint_url = None
        self._credentials = {}
        self._make_organization()
        self._make_roles()
        self._make_keys(key_policy, key_tags)
        self._make_channels()

    # Credentials and clients

    def credentials(self, account):
        """Access key, secret and session token that act in an account."""
        if account not in self._credentials:
            sts = self._client("sts", REGION, ("AKIAHARNESS", "secret", None))
            answer = sts.assume_role(RoleArn=f"arn:aws:iam::{account}:role/harness", RoleSessionName="black-box")
            made = answer["Credentials"]
            self._credentials[account] = (made["AccessKeyId"], made["SecretAccessKey"], made["SessionToken"])
        return self._credentials[account]

    def client(self, service, account=SOURCE, region=REGION):
        return self._client(service, region, self.credentials(account))

    def _client(self, service, region, credentials):
        key, secret, token = credentials
        return boto3.client(
            service,
            endpoint_url=self.endpoint_url or self.moto_url,
            region_name=region,
            aws_access_key_id=key,
            aws_secret_access_key=secret,
            aws_session_token=token,
            config=Config(retries={"max_attempts": 1}, read_timeout=20),
        )

    # What moto keeps

    def _make_organization(self):
        organizations = self.client("organizations", MANAGEMENT)
        self.organization_id = organizations.create_organization(FeatureSet="ALL")["Organization"]["Id"]
        for account in (SOURCE, DESTINATION):
            status = organizations.create_account(Email=f"account-{account}@example.com", AccountName=f"account-{account}")
            assert status["CreateAccountStatus"]["AccountId"] == account

    def _make_roles(self):
        backup = trust({"Service": "backup.amazonaws.com"})
        for account in (SOURCE, DESTINATION):
            # CreateServiceLinkedRole would write the name's second B in lower case.
            self.client("iam", account).create_role(
                RoleName=SERVICE_LINKED_ROLE_NAME, Path=SERVICE_LINKED_ROLE_PATH, AssumeRolePolicyDocument=backup
            )
        iam = self.client("iam")
        iam.create_role(RoleName=JOB_ROLE_NAME, Path="/service-role/", AssumeRolePolicyDocument=backup)
        iam.attach_role_policy(RoleName=JOB_ROLE_NAME, PolicyArn=JOB_ROLE_POLICY)
        self.client("iam", DESTINATION).create_role(
            RoleName=MEMBER_ROLE,
            AssumeRolePolicyDocument=trust(
                {"AWS": f"arn:aws:iam::{SOURCE}:root"}, {"StringEquals": {"sts:ExternalId": EXTERNAL_ID}}
            ),
        )

    def _make_keys(self, key_policy, key_tags):
        tags = [{"TagKey": key, "TagValue": value} for key, value in key_tags]
        made = self.client("kms").create_key(Policy=key_policy, Tags=tags, KeyUsage="ENCRYPT_DECRYPT")
        self.key_id, self.key_arn = made["KeyMetadata"]["KeyId"], made["KeyMetadata"]["Arn"]
        made = self.client("kms", DESTINATION, DESTINATION_REGION).create_key(KeyUsage="ENCRYPT_DECRYPT")
        self.destination_key_id = made["KeyMetadata"]["KeyId"]
        self.destination_key_arn = made["KeyMetadata"]["Arn"]

    def _make_channels(self):
        sns, sqs = self.client("sns"), self.client("sqs")
        self.topic_arn = sns.create_topic(Name=TOPIC)["TopicArn"]
        self.queue_url = sqs.create_queue(QueueName=TOPIC)["QueueUrl"]
        queue_arn = sqs.get_queue_attributes(QueueUrl=self.queue_url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        sns.subscribe(TopicArn=self.topic_arn, Protocol="sqs", Endpoint=queue_arn)
        self.client("dynamodb").create_table(
            TableName=LEDGER,
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "day", "at", "policy_of")],
            GlobalSecondaryIndexes=[
                {
                    "IndexName": name,
                    "KeySchema": [
                        {"AttributeName": partition, "KeyType": "HASH"},
                        {"AttributeName": order, "KeyType": "RANGE"},
                    ],
                    "Projection": {"ProjectionType": "KEYS_ONLY"},
                }
                for name, partition, order in (("by-day", "day", "at"), ("by-resource", "policy_of", "day"))
            ],
            BillingMode="PAY_PER_REQUEST",
        )

    # What the sandbox keeps

    def file(self):
        """The world file: the same accounts, roles and keys, and the vaults, which moto lacks."""
        path = f"{self.organization_id}/{ROOT_PATH}/"
        return {
            "organizations": [
                {
                    "id": self.organization_id,
                    "management_account": MANAGEMENT,
                    "cross_account_backup_enabled": True,
                    "member_accounts": {SOURCE: path, DESTINATION: path},
                }
            ],
            "accounts": {
                MANAGEMENT: {},
                SOURCE: {
                    "roles": {
                        JOB_ROLE_NAME: {
                            "path": "/service-role/",
                            "managed_policies": ["AWSBackupServiceRolePolicyForBackup"],
                        }
                    },
                    "regions": {
                        REGION: {
                            "vaults": {
                                SOURCE_VAULT_NAME: {
                                    "encryption_key_arn": self.key_arn,
                                    "recovery_points": [
                                        {
                                            "arn": RECOVERY_POINT,
                                            "resource_arn": VOLUME,
                                            "resource_type": "EBS",
                                            "encryption_key_arn": self.key_arn,
                                            "size_in_bytes": 8_589_934_592,
                                        }
                                    ],
                                }
                            },
                            "keys": {self.key_id: {"policy": self.key_policy_at_start}},
                        }
                    },
                },
                DESTINATION: {
                    "regions": {
                        DESTINATION_REGION: {
                            "vaults": {
                                DESTINATION_VAULT_NAME: {
                                    "encryption_key_arn": self.destination_key_arn,
                                    "policy": self.vault_policy_at_start,
                                }
                            },
                            "keys": {self.destination_key_id: {}},
                        }
                    }
                },
            },
        }

    def control(self, method, path, body=None):
        """A call of the sandbox's own control routes."""
        connection = http.client.HTTPConnection(self.endpoint_url.removeprefix("http://"), timeout=20)
        try:
            payload = None if body is None else json.dumps(body)
            connection.request(method, path, payload, {"Content-Type": "application/json"})
            response = connection.getresponse()
            text = response.read().decode()
            assert response.status == 200, f"{method} {path}: {response.status} {text}"
            return json.loads(text)
        finally:
            connection.close()

    def copy(self, *, by_plan=True):
        """Starts a copy, waits for its end and answers its event."""
        started = self.control(
            "POST",
            "/_sandbox/copies",
            {
                "account": SOURCE,
                "region": REGION,
                "recovery_point_arn": RECOVERY_POINT,
                "source_vault_name": SOURCE_VAULT_NAME,
                "destination_vault_arn": DESTINATION_VAULT,
                "iam_role_arn": JOB_ROLE,
                "created_by_plan": by_plan,
            },
        )
        self.wait_for_copy(started["copy_job_id"])
        return self.control("GET", f"/_sandbox/event/{started['copy_job_id']}")

    def failed_copy(self, **arguments):
        event = self.copy(**arguments)
        assert event["detail"]["state"] == "FAILED", event
        return event

    def wait_for_copy(self, job_id):
        """The job's end, as DescribeCopyJob answers it to the source account."""
        backup = self.client("backup")
        end = time.monotonic() + 10
        while True:
            job = backup.describe_copy_job(CopyJobId=job_id)["CopyJob"]
            if job["State"] not in ("CREATED", "RUNNING"):
                return job
            assert time.monotonic() < end, f"the copy does not end: {job}"
            time.sleep(0.1)

    def writes(self):
        return [call["operation"] for call in self.control("GET", "/_sandbox/writes")]

    def copies(self):
        return self.control("GET", "/_sandbox/copies")

    def vault_policy(self):
        backup = self.client("backup", DESTINATION, DESTINATION_REGION)
        return backup.get_backup_vault_access_policy(BackupVaultName=DESTINATION_VAULT_NAME)["Policy"]

    def key_policy(self):
        """The key's policy as it was put. GetKeyPolicy tells it in another layout, and in another order at each call."""
        with urllib.request.urlopen(f"{self.moto_url}/moto-api/data.json", timeout=20) as answer:
            keys = json.load(answer)["kms"]["Key"]
        [policy] = [key["policy"] for key in keys if key["arn"] == self.key_arn]
        return policy

    def messages(self):
        """The e-mails on the messages that came out of the topic since the last call: (subject, text)."""
        return [(subject, email) for subject, email, _ in self._received()]

    def notices(self):
        """The JSON of those messages, as every subscriber but those by e-mail gets it."""
        return [json.loads(default) for _, _, default in self._received()]

    def _received(self):
        """Subject, e-mail and JSON of what the queue, which is subscribed to the topic, got since the last call."""
        sqs, found = self.client("sqs"), []
        while True:
            batch = sqs.receive_message(QueueUrl=self.queue_url, MaxNumberOfMessages=10).get("Messages", [])
            if not batch:
                return found
            published = self._published()
            for message in batch:
                envelope = json.loads(message["Body"])
                # A queue gets what stands under `default`; what stands for e-mail is in what was published.
                structure = json.loads(published[envelope["MessageId"]])
                assert envelope["Message"] == structure["default"]
                found.append((envelope.get("Subject"), structure["email"], structure["default"]))
                sqs.delete_message(QueueUrl=self.queue_url, ReceiptHandle=message["ReceiptHandle"])

    def _published(self):
        """What was published to any topic, by its id."""
        with urllib.request.urlopen(f"{self.moto_url}/moto-api/data.json", timeout=20) as answer:
            topics = json.load(answer)["sns"]["Topic"]
        return {sent[0]: sent[1] for topic in topics for sent in topic["sent_notifications"]}

    def make_chat(self):
        """The topic of chats with a queue behind it, and a bus with a rule that sends every report to another queue."""
        sns, sqs, events = self.client("sns"), self.client("sqs"), self.client("events")
        topic = sns.create_topic(Name="chat")["TopicArn"]
        queues = {name: sqs.create_queue(QueueName=name)["QueueUrl"] for name in ("chat", "events")}
        arn = f"arn:aws:sqs:{REGION}:{SOURCE}"
        sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=f"{arn}:chat")
        events.create_event_bus(Name="reports")
        events.put_rule(Name="all", EventBusName="reports", EventPattern=json.dumps({"source": ["copymend.report"]}))
        events.put_targets(Rule="all", EventBusName="reports", Targets=[{"Id": "queue", "Arn": f"{arn}:events"}])
        return topic, queues

    def bodies(self, queue_url):
        """What is in a queue."""
        batch = self.client("sqs").receive_message(QueueUrl=queue_url, MaxNumberOfMessages=10).get("Messages", [])
        return [json.loads(message["Body"]) for message in batch]

    def environment(self, **settings):
        """The function's environment. A setting of None is left out."""
        key, secret, token = self.credentials(SOURCE)
        values = {
            "PATH": "/usr/bin:/bin",
            "AWS_ACCESS_KEY_ID": key,
            "AWS_SECRET_ACCESS_KEY": secret,
            "AWS_SESSION_TOKEN": token,
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": "/dev/null",
            "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
            "AWS_ENDPOINT_URL": self.endpoint_url,
            "AWS_LAMBDA_FUNCTION_NAME": "copy-remediator",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "256",
            "COPYMEND_MODE": "repair",
            "COPYMEND_ALLOWED_DESTINATIONS": f"arn:aws:backup:*:{DESTINATION}:backup-vault:*",
            "COPYMEND_ALLOWED_KEYS": f"arn:aws:kms:*:{SOURCE}:key/*",
            "COPYMEND_ALLOWED_SOURCES": f"{JOB_ROLE}>arn:aws:backup:*:{DESTINATION}:backup-vault:*",
            "COPYMEND_ORGANIZATION_ID": self.organization_id,
            "COPYMEND_MEMBER_ROLE": MEMBER_ROLE,
            "COPYMEND_EXTERNAL_ID": EXTERNAL_ID,
            "COPYMEND_TOPIC_ARN": self.topic_arn,
            "COPYMEND_LEDGER_TABLE": LEDGER,
        } | settings
        return {name: value for name, value in values.items() if value is not None}


def trust(principal, condition=None):
    statement = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
    if condition:
        statement["Condition"] = condition
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})
