"""Rotate the password of a MemoryDB user with two valid passwords at a time.

Secrets Manager calls rotate() four times, once per step. Every step may be called again after a failure, so each first looks
whether its work is already done. The user keeps [new, old]; the one before that is dropped only when a newer one replaces it.
"""

import json
import os
import socket
import ssl
import time

import boto3

secrets = boto3.client("secretsmanager")
memorydb = boto3.client("memorydb")


def rotate(event, _context):
    arn, token, step = event["SecretId"], event["ClientRequestToken"], event["Step"]
    stages = secrets.describe_secret(SecretId=arn)["VersionIdsToStages"]
    if token not in stages:
        raise ValueError("this version is not staged for rotation")
    if "AWSCURRENT" in stages[token]:
        return
    if "AWSPENDING" not in stages[token]:
        raise ValueError("this version is not AWSPENDING")
    {
        "createSecret": create,
        "setSecret": set_on_user,
        "testSecret": authenticate,
        "finishSecret": finish,
    }[step](arn, token)


def create(arn, token):
    current = read(arn, "AWSCURRENT")
    try:
        read(arn, "AWSPENDING", token)
        return
    except secrets.exceptions.ResourceNotFoundException:
        pass
    password = secrets.get_random_password(PasswordLength=64, ExcludePunctuation=True)["RandomPassword"]
    secrets.put_secret_value(
        SecretId=arn,
        ClientRequestToken=token,
        SecretString=json.dumps({"username": current["username"], "password": password}),
        VersionStages=["AWSPENDING"],
    )


def set_on_user(arn, token):
    pending, current = read(arn, "AWSPENDING", token), read(arn, "AWSCURRENT")
    memorydb.update_user(
        UserName=pending["username"],
        AuthenticationMode={"Type": "password", "Passwords": [pending["password"], current["password"]]},
    )
    deadline = time.monotonic() + 240
    while time.monotonic() < deadline:
        if memorydb.describe_users(UserName=pending["username"])["Users"][0]["Status"] == "active":
            return
        time.sleep(5)
    raise TimeoutError("the user did not become active")


def authenticate(arn, token):
    pending = read(arn, "AWSPENDING", token)
    host, port = os.environ["MEMORYDB_HOST"], int(os.environ["MEMORYDB_PORT"])
    context = ssl.create_default_context()
    with socket.create_connection((host, port), timeout=10) as raw:
        with context.wrap_socket(raw, server_hostname=host) as link:
            link.sendall(command("AUTH", pending["username"], pending["password"]))
            reply = read_line(link)
    if reply != b"+OK":
        # The server's text names no secret, and it says what is wrong.
        raise PermissionError(reply.decode("ascii", "replace"))


def finish(arn, token):
    stages = secrets.describe_secret(SecretId=arn)["VersionIdsToStages"]
    old = next((version for version, names in stages.items() if "AWSCURRENT" in names), None)
    if old == token:
        return
    secrets.update_secret_version_stage(
        SecretId=arn, VersionStage="AWSCURRENT", MoveToVersionId=token, RemoveFromVersionId=old
    )


def read(arn, stage, token=None):
    extra = {"VersionId": token} if token else {}
    return json.loads(secrets.get_secret_value(SecretId=arn, VersionStage=stage, **extra)["SecretString"])


def command(*words):
    parts = [b"*%d\r\n" % len(words)]
    for word in words:
        data = word.encode()
        parts.append(b"$%d\r\n%s\r\n" % (len(data), data))
    return b"".join(parts)


def read_line(link):
    data = b""
    while not data.endswith(b"\r\n") and len(data) < 4096:
        piece = link.recv(4096)
        if not piece:
            break
        data += piece
    return data.rstrip(b"\r\n")
