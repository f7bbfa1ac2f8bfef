"""The rotation function as it is, against a fake Secrets Manager (moto) and a real Redis that speaks TLS."""
import importlib.util
import json
import os
import shutil
import socket
import ssl
import subprocess
import types

import pytest

import ports
import stack

HANDLER = stack.INFRA / "modules" / "secrets" / "rotation" / "handler.py"
REDIS = shutil.which("redis-server")
pytestmark = pytest.mark.skipif(not REDIS, reason="redis-server is not installed")


class Store:
    """A Redis with TLS whose users MemoryDB's calls change: both passwords are valid, as there."""

    def __init__(self, folder):
        self.port, self.folder = ports.free_port(), folder
        key, crt = folder / "key.pem", folder / "crt.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", key, "-out", crt, "-days", "2",
                        "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"], check=True, capture_output=True)
        self.crt = crt
        self.process = subprocess.Popen([REDIS, "--port", "0", "--tls-port", str(self.port), "--tls-cert-file", crt, "--tls-key-file", key, "--tls-auth-clients", "no",
                                         "--bind", "127.0.0.1", "--save", "", "--dir", folder], stdout=subprocess.DEVNULL)
        context = ssl.create_default_context(cafile=str(crt))
        while True:
            assert self.process.poll() is None, "redis-server ended"
            try:
                self.link = context.wrap_socket(socket.create_connection(("localhost", self.port)), server_hostname="localhost")
                break
            except ConnectionRefusedError:
                pass

    def say(self, *words):
        self.link.sendall(b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(w.encode()), w.encode()) for w in words))
        answer = self.link.recv(4096)
        assert answer.startswith(b"+OK"), answer

    def update_user(self, UserName, AuthenticationMode):
        assert AuthenticationMode["Type"] == "password" and 1 <= len(AuthenticationMode["Passwords"]) <= 2
        self.say("ACL", "SETUSER", UserName, "resetpass", "on", "+ping", *[">" + p for p in AuthenticationMode["Passwords"]])

    def describe_users(self, UserName):
        return {"Users": [{"Status": "active"}]}

    def admits(self, user, password):
        context = ssl.create_default_context(cafile=str(self.crt))
        with context.wrap_socket(socket.create_connection(("localhost", self.port)), server_hostname="localhost") as link:
            link.sendall(b"*3\r\n" + b"".join(b"$%d\r\n%s\r\n" % (len(w), w) for w in (b"AUTH", user.encode(), password.encode())))
            return link.recv(200).startswith(b"+OK")


@pytest.fixture
def world(tmp_path, monkeypatch):
    """The handler with moto's Secrets Manager, a secret with its first password, and the store."""
    import boto3
    from moto import mock_aws
    store = Store(tmp_path)
    for k, v in (("AWS_DEFAULT_REGION", "eu-central-1"), ("AWS_ACCESS_KEY_ID", "x"), ("AWS_SECRET_ACCESS_KEY", "x"), ("MEMORYDB_HOST", "localhost"),
                 ("MEMORYDB_PORT", str(store.port)), ("SSL_CERT_FILE", str(store.crt))):
        monkeypatch.setenv(k, v)
    with mock_aws():
        secrets = boto3.client("secretsmanager")
        arn = secrets.create_secret(Name="tallyd-test/redis/tallyd", SecretString=json.dumps({"username": "tallyd", "password": "first"}))["ARN"]
        store.update_user("tallyd", {"Type": "password", "Passwords": ["first"]})
        spec = importlib.util.spec_from_file_location("handler", HANDLER)
        handler = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(handler)
        handler.memorydb = store
        # Secrets Manager stages the empty version before it calls; moto has no call for that but put with the stage.
        yield types.SimpleNamespace(handler=handler, secrets=secrets, store=store, arn=arn)
    store.process.terminate()
    store.process.wait()


def rotate(world, token, steps=("createSecret", "setSecret", "testSecret", "finishSecret")):
    for step in steps:
        world.handler.rotate({"SecretId": world.arn, "ClientRequestToken": token, "Step": step}, None)


def stage(world, token, password):
    world.secrets.put_secret_value(SecretId=world.arn, ClientRequestToken=token, VersionStages=["AWSPENDING"], SecretString=json.dumps({"username": "tallyd", "password": password}))


def current(world):
    stages = world.secrets.describe_secret(SecretId=world.arn)["VersionIdsToStages"]
    version = next(v for v, names in stages.items() if "AWSCURRENT" in names)
    return json.loads(world.secrets.get_secret_value(SecretId=world.arn, VersionId=version)["SecretString"])["password"]


TOKENS = ["%08d-0000-4000-8000-000000000000" % i for i in (1, 2, 3)]


def test_two_passwords_are_valid_and_the_third_drops_the_first(world):
    stage(world, TOKENS[0], "second")
    rotate(world, TOKENS[0])
    assert current(world) == "second"
    assert world.store.admits("tallyd", "second") and world.store.admits("tallyd", "first"), "a pod with the old file still gets in"
    stage(world, TOKENS[1], "third")
    rotate(world, TOKENS[1])
    assert world.store.admits("tallyd", "third") and world.store.admits("tallyd", "second") and not world.store.admits("tallyd", "first")


def test_each_step_may_come_twice(world):
    stage(world, TOKENS[0], "second")
    for step in ("createSecret", "setSecret", "testSecret", "finishSecret"):
        rotate(world, TOKENS[0], [step, step])
    assert current(world) == "second"


def test_a_password_that_the_store_refuses_never_becomes_current(world):
    stage(world, TOKENS[0], "second")
    with pytest.raises(PermissionError, match="WRONGPASS"):
        rotate(world, TOKENS[0], ["createSecret", "testSecret"])
    assert current(world) == "first"


def test_a_certificate_of_somebody_else_is_refused(world, monkeypatch):
    stage(world, TOKENS[0], "second")
    rotate(world, TOKENS[0], ["setSecret"])
    monkeypatch.delenv("SSL_CERT_FILE")
    with pytest.raises(ssl.SSLCertVerificationError):
        rotate(world, TOKENS[0], ["testSecret"])


def test_a_version_that_is_not_staged_is_refused(world):
    with pytest.raises(ValueError, match="not staged"):
        rotate(world, TOKENS[2], ["createSecret"])
