"""tallyd finds the AWS keys of a pod and logs in with a token that passes the rules of AWS."""

import contextlib
import datetime
import hashlib
import hmac
import http.server
import socket
import ssl
import threading
import urllib.parse

import pytest
from harness import checker, secrets, wait
from harness.certificates import Authority
from harness.ports import HOST
from harness.tls_redis import At, TlsRedis

pytestmark = pytest.mark.short

KEYS = {"id": "AKIDEXAMPLE", "secret": secrets.AWS_SECRET, "session": secrets.AWS_SESSION}
KEYS_IN_ENV = {"AWS_ACCESS_KEY_ID": KEYS["id"], "AWS_SECRET_ACCESS_KEY": KEYS["secret"], "AWS_SESSION_TOKEN": KEYS["session"]}
REGION, CLUSTER, USER = "eu-central-1", "counters", "tallyd"


class Store:
    """A TLS server that takes the first AUTH of each connection and hangs up."""

    def __init__(self, authority):
        cert, key = authority.leaf("store", "IP:127.0.0.1")
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(cert, key)
        self._socket = socket.create_server((HOST, 0))
        self.url = f"rediss://{USER}@{HOST}:{self._socket.getsockname()[1]}"
        self.password = None
        self.auths = []
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._socket.accept()
                with contextlib.suppress(OSError, ValueError), self._context.wrap_socket(connection, server_side=True) as stream:
                    self._take(stream.makefile("rb"))

    def _take(self, file):
        count = int(file.readline()[1:])
        words = []
        for _ in range(count):
            length = int(file.readline()[1:])
            words.append(file.read(length + 2)[:-2].decode())
        assert words[0] == "AUTH"
        self.auths.append(words[1:])

    def close(self):
        self._socket.close()


class Endpoint(http.server.ThreadingHTTPServer):
    """What a pod asks for keys: answers with `body`, and remembers what it was asked."""

    def __init__(self, body, status=200, tls=None):
        self.asked = []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                form = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
                self.server.asked.append((self.path, self.headers.get("Authorization"), urllib.parse.parse_qs(form)))
                self.send_response(status)
                self.send_header("Content-Length", str(len(body.encode())))  # a body that only the end of TLS ends could be cut
                self.end_headers()
                self.wfile.write(body.encode())

            do_POST = do_GET

            def log_message(self, *_):
                pass

        super().__init__((HOST, 0), Handler)
        if tls:  # a context; by the name of localhost
            self.socket = tls.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)
        self.url = f"{'https://localhost' if tls else 'http://' + HOST}:{self.server_address[1]}/keys"
        threading.Thread(target=self.serve_forever, daemon=True).start()


def expiration():
    return (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")


def sign(key, text):
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


def assert_valid(token, session):
    """Signature Version 4 once more, from AWS's description."""
    location, _, query = token.partition("?")
    assert location == f"{CLUSTER}/"
    unsigned, _, signature = query.rpartition("&X-Amz-Signature=")
    parameters = dict(urllib.parse.parse_qsl(unsigned))
    assert list(parameters) == sorted(parameters)
    assert (parameters["Action"], parameters["User"], parameters["X-Amz-Expires"]) == ("connect", USER, "900")
    assert parameters.get("X-Amz-Security-Token") == session
    time, day = parameters["X-Amz-Date"], parameters["X-Amz-Date"][:8]
    scope = f"{day}/{REGION}/memorydb/aws4_request"
    assert parameters["X-Amz-Credential"] == f"{KEYS['id']}/{scope}"
    canonical = f"GET\n/\n{unsigned}\nhost:{CLUSTER}\n\nhost\n{hashlib.sha256(b'').hexdigest()}"
    to_sign = f"AWS4-HMAC-SHA256\n{time}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    key = ("AWS4" + KEYS["secret"]).encode()
    for part in (day, REGION, "memorydb", "aws4_request"):
        key = sign(key, part)
    assert sign(key, to_sign).hex() == signature


@pytest.fixture
def authority(tmp_path):
    return Authority(tmp_path, "authority")


@pytest.fixture
def store(authority):
    with contextlib.closing(Store(authority)) as server:
        yield server


def start(lab, store, authority, env):
    clean = {name: "" for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN",
                                   "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_ROLE_ARN", "AWS_ENDPOINT_URL_STS",
                                   "AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
                                   "AWS_CONTAINER_AUTHORIZATION_TOKEN", "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE")}
    return lab.tallyd(store, redis_ca=authority.cert, redis_auth="iam", redis_iam_cluster=CLUSTER,
                      redis_iam_region=REGION, env={**clean, **env})


def assert_greets(store, tallyd, session):
    wait.until(lambda: store.auths, "an AUTH", 10)
    user, token = store.auths[0]
    assert user == USER
    assert_valid(token, session)


def test_aws_keys_from_the_environment_are_used(lab, store, authority):
    tallyd = start(lab, store, authority, KEYS_IN_ENV)
    assert_greets(store, tallyd, KEYS["session"])


def test_every_new_connection_under_load_has_a_token_of_its_own_and_nothing_is_lost(lab, authority):
    """A real server whose user takes any password; each connection that it ends is one AUTH more."""
    redis = TlsRedis(lab, authority)
    redis.plain.command("ACL", "SETUSER", USER, "on", "nopass", "~*", "+@all")
    store = At(redis, redis.url.replace("://", f"://{USER}@"))
    store.password = None
    tallyd = start(lab, store, authority, KEYS_IN_ENV)
    load = lab.load(tallyd, rate=4000, connections=8)
    for kill in range(1, 6):
        before = load.answers
        wait.until(lambda before=before: load.answers > before + 500, "the load goes on")
        redis.plain.command("CLIENT", "KILL", "USER", USER)
        wait.until(lambda kill=kill: tallyd.metrics()["redis_reconnects_total"] >= kill, "connected again")
    load.stop()
    checker.wait_drained(tallyd)
    checker.check_exact(redis.plain, [load])
    assert tallyd.metrics()["redis_errors_total"] == 0


def test_keys_from_eks_pod_identity_are_fetched_once_for_many_connections(lab, store, authority, tmp_path):
    body = (f'{{"AccessKeyId":"{KEYS["id"]}","SecretAccessKey":"{KEYS["secret"]}","Token":"{KEYS["session"]}",'
            f'"Expiration":"{expiration()}"}}')
    token = tmp_path / "pod-token"
    token.write_text(secrets.POD_TOKEN + "\n")
    with Endpoint(body) as endpoint:
        tallyd = start(lab, store, authority, {"AWS_CONTAINER_CREDENTIALS_FULL_URI": endpoint.url,
                                               "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": str(token)})
        assert_greets(store, tallyd, KEYS["session"])
        wait.until(lambda: len(store.auths) >= 3, "more connections", 15)
        assert [(path, authorization) for path, authorization, _ in endpoint.asked] == [("/keys", secrets.POD_TOKEN)]
        endpoint.shutdown()


def test_aws_keys_from_a_web_identity_are_used(lab, store, authority, tmp_path):
    body = (f"<AssumeRoleWithWebIdentityResponse><AssumeRoleWithWebIdentityResult><Credentials>"
            f"<AccessKeyId>{KEYS['id']}</AccessKeyId><SecretAccessKey>{KEYS['secret']}</SecretAccessKey>"
            f"<SessionToken>{KEYS['session']}</SessionToken><Expiration>{expiration()}</Expiration>"
            f"</Credentials></AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>")
    token = tmp_path / "web-token"
    token.write_text(secrets.WEB_TOKEN)
    with Endpoint(body) as endpoint:
        tallyd = start(lab, store, authority, {"AWS_WEB_IDENTITY_TOKEN_FILE": str(token), "AWS_ROLE_ARN": "arn:aws:iam::1:role/x",
                                               "AWS_ENDPOINT_URL_STS": endpoint.url})
        assert_greets(store, tallyd, KEYS["session"])
        form = endpoint.asked[0][2]
        assert form["Action"] == ["AssumeRoleWithWebIdentity"] and form["WebIdentityToken"] == [secrets.WEB_TOKEN]
        assert form["RoleArn"] == ["arn:aws:iam::1:role/x"]
        endpoint.shutdown()


@pytest.mark.parametrize("alternative, suites, words", [
    ("DNS:localhost", "ECDHE-ECDSA-AES128-GCM-SHA256", None),
    ("DNS:localhost", None, None),
    (None, None, "certificate"),  # in the subject alone
    ("DNS:*.localhost", None, "certificate"),
    ("DNS:localhost", "ECDHE-ECDSA-AES128-SHA256", "alert"),  # CBC
])
def test_an_endpoint_over_tls_must_be_whom_it_says_and_speak_well(lab, store, authority, alternative, suites, words):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*authority.leaf("localhost", alternative))
    if suites:
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        context.set_ciphers(suites + ":@SECLEVEL=0")
    body = (f'{{"AccessKeyId":"{KEYS["id"]}","SecretAccessKey":"{KEYS["secret"]}","Token":"{KEYS["session"]}",'
            f'"Expiration":"{expiration()}"}}')
    with Endpoint(body, tls=context) as endpoint:
        tallyd = start(lab, store, authority, {"AWS_CONTAINER_CREDENTIALS_FULL_URI": endpoint.url, "SSL_CERT_FILE": authority.cert})
        if words:
            wait.until(lambda: "no AWS keys from the container's endpoint" in tallyd.log(), "the log says why")
            assert words in tallyd.log() and not endpoint.asked and not store.auths
        else:
            assert_greets(store, tallyd, KEYS["session"])
        endpoint.shutdown()


@pytest.mark.parametrize("env, words", [
    ({}, "no AWS keys: neither AWS_ACCESS_KEY_ID"),
    ({"AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://keys.example/x"}, "neither https nor of this machine"),
    ({"AWS_WEB_IDENTITY_TOKEN_FILE": "/nonexistent", "AWS_ROLE_ARN": "a"}, "cannot open the token file"),
])
def test_without_keys_it_counts_and_says_why_it_cannot_store(lab, store, authority, env, words):
    tallyd = start(lab, store, authority, env)
    tallyd.hit("a", "b")
    wait.until(lambda: words in tallyd.log(), words, 10)
    assert not store.auths


def test_an_endpoint_that_refuses_is_said_with_its_status(lab, store, authority):
    with Endpoint("no", status=403) as endpoint:
        tallyd = start(lab, store, authority, {"AWS_CONTAINER_CREDENTIALS_FULL_URI": endpoint.url})
        wait.until(lambda: "it answered 403" in tallyd.log(), "the status is in the log", 10)
        endpoint.shutdown()


def test_iam_needs_tls_a_user_and_a_cluster(lab, store, authority):
    tallyd = lab.tallyd(store, start=False, redis_auth="iam").spawn()
    assert tallyd.join() == 64
    assert "--redis-iam-cluster" in tallyd.log()
