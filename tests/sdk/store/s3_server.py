"""moto's S3 server as a process; run as a program it prints where it is and serves until it is ended."""

import json
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

REGION = "us-east-1"


@dataclass(frozen=True, slots=True)
class S3Server:
    """A server and the keys of its users, each of whom may write below its own name alone."""

    endpoint: str
    keys: Mapping[str, tuple[str, str]]

    def address(self, prefix: str, bucket: str = "runs") -> str:
        return f"s3://{bucket}/{prefix}?endpoint={self.endpoint}&region={REGION}"


@contextmanager
def s3_server(*users: str) -> Iterator[S3Server]:
    """A server with one bucket, `runs`, that everyone may read.

    Without users anyone may do anything there; with users, each may do what it likes below its own name.
    """
    command = [sys.executable, "-W", "ignore", str(Path(__file__)), *users]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        try:
            assert process.stdout
            said = json.loads(process.stdout.readline())
            yield S3Server(said["endpoint"], {user: tuple(key) for user, key in said["keys"].items()})
        finally:
            process.kill()


def _serve(users: list[str]) -> None:
    import logging

    import boto3
    import requests
    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").disabled = True
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    endpoint = f"http://{host}:{port}"
    root = {"aws_access_key_id": "root", "aws_secret_access_key": "root"}
    options = {"endpoint_url": endpoint, "region_name": REGION, **root}
    boto3.client("s3", **options).create_bucket(Bucket="runs", ACL="public-read")
    iam, keys = boto3.client("iam", **options), {}
    for user in users:
        iam.create_user(UserName=user)
        own = {"Effect": "Allow", "Action": "s3:*", "Resource": [f"arn:aws:s3:::runs/{user}/*"]}
        policy = {"Version": "2012-10-17", "Statement": [own]}
        iam.put_user_policy(UserName=user, PolicyName="own", PolicyDocument=json.dumps(policy))
        key = iam.create_access_key(UserName=user)["AccessKey"]
        keys[user] = (key["AccessKeyId"], key["SecretAccessKey"])
    if users:
        requests.post(f"{endpoint}/moto-api/reset-auth", data="0", timeout=10)
    print(json.dumps({"endpoint": endpoint, "keys": keys}), flush=True)
    threading.Event().wait()


if __name__ == "__main__":
    _serve(sys.argv[1:])
