"""Clients of AWS in every account and Region, made when they are first needed, and the member roles behind them."""

import collections
import datetime
import threading

import boto3
from botocore.config import Config

CONFIG = Config(
    connect_timeout=2,
    read_timeout=5,
    retries={"mode": "standard", "max_attempts": 3},
    max_pool_connections=20,
    tcp_keepalive=True,
)
# A role's credentials are renewed when so little of their hour is left.
MARGIN = datetime.timedelta(minutes=5)


class Accounts:
    """The function's own account by its own credentials, the others by the member role."""

    def __init__(self, own_account, member_role, external_id):
        self.own_account = own_account
        self._member_role, self._external_id = member_role, external_id
        self._session = boto3.Session()
        # Making clients isn't safe beside itself; using them is. A role is assumed once, while others make clients.
        self._making = threading.Lock()
        self._assuming = collections.defaultdict(threading.Lock)
        self._clients, self._credentials = {}, {}

    def client(self, service, account=None, region=None):
        account = account or self.own_account
        credentials = {} if account == self.own_account else self._member(account)
        key = (service, account, region, credentials.get("aws_access_key_id"))
        with self._making:
            if key not in self._clients:
                self._clients[key] = self._session.client(service, region_name=region, config=CONFIG, **credentials)
            return self._clients[key]

    def _member(self, account):
        with self._assuming[account]:
            credentials, expires = self._credentials.get(account, ({}, None))
            if not credentials or expires - datetime.datetime.now(datetime.UTC) < MARGIN:
                made = self.client("sts").assume_role(
                    RoleArn=f"arn:aws:iam::{account}:role/{self._member_role}",
                    RoleSessionName="remediator",
                    ExternalId=self._external_id,
                )["Credentials"]
                credentials = {
                    "aws_access_key_id": made["AccessKeyId"],
                    "aws_secret_access_key": made["SecretAccessKey"],
                    "aws_session_token": made["SessionToken"],
                }
                self._credentials[account] = (credentials, made["Expiration"])
            return credentials
