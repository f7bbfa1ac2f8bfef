"""tallyd reaches a real redis-server by TLS and password. What is wrong is refused with the reason, and no output has a secret."""

import os
import signal

import pytest
from harness import wait
from harness.certificates import Authority
from harness.ports import HOST
from harness.tls_redis import At, TlsRedis

pytestmark = pytest.mark.short


@pytest.fixture
def authority(tmp_path):
    return Authority(tmp_path, "authority")


def hit_and_find(redis, tallyd):
    tallyd.hit("tls", "a", 3)
    wait.until(lambda: redis.stored(b"tls:a") == 3, "the hits are in Redis", 10)


def refused(tallyd, *words):
    """It is ready and counts, stays unconnected, and says why."""
    tallyd.hit("tls", "a")
    wait.until(lambda: all(word in tallyd.log() for word in words), f"the log says {words}", 10)
    assert tallyd.metrics()["redis_connected"] == 0


@pytest.mark.parametrize("host", [HOST, "localhost"])
def test_hits_are_stored_over_tls(lab, authority, host):
    redis = TlsRedis(lab, authority, host=host)
    hit_and_find(redis, lab.tallyd(redis, redis_ca=authority.cert))


def test_a_certificate_of_our_own_is_shown_when_the_server_asks(lab, authority):
    redis = TlsRedis(lab, authority, clients="yes")
    cert, key = authority.leaf("client", "DNS:tallyd")
    hit_and_find(redis, lab.tallyd(redis, redis_ca=authority.cert, redis_cert=cert, redis_key=key))


def test_a_server_of_another_authority_is_refused(lab, authority, tmp_path):
    redis = TlsRedis(lab, authority)
    other = Authority(tmp_path, "other")
    refused(lab.tallyd(redis, redis_ca=other.cert), "certificate was refused", "self-signed certificate in certificate chain")


def test_a_server_of_no_authority_of_the_system_is_refused(lab, authority):
    redis = TlsRedis(lab, authority)
    refused(lab.tallyd(redis), "certificate was refused")


@pytest.mark.parametrize("alternative, host, word", [("DNS:elsewhere.example", "localhost", "hostname mismatch"),
                                                     ("IP:127.0.0.9", HOST, "IP address mismatch")])
def test_a_certificate_for_another_name_is_refused(lab, authority, alternative, host, word):
    redis = TlsRedis(lab, authority, alternative, host=host)
    refused(lab.tallyd(redis, redis_ca=authority.cert), "certificate was refused", word)


def test_a_name_in_the_subject_alone_proves_nothing(lab, authority):
    redis = TlsRedis(lab, authority, None, host="localhost", name="localhost")
    refused(lab.tallyd(redis, redis_ca=authority.cert), "certificate was refused", "hostname mismatch")


@pytest.mark.parametrize("suites, good", [("ECDHE-ECDSA-AES128-GCM-SHA256", True), ("ECDHE-ECDSA-AES128-SHA256", False)])
def test_of_tls_1_2_only_forward_secret_and_authenticated_suites_are_spoken(lab, authority, suites, good):
    redis = TlsRedis(lab, authority, settings=["tls-protocols TLSv1.2", f"tls-ciphers {suites}"])
    tallyd = lab.tallyd(redis, redis_ca=authority.cert)
    if good:
        hit_and_find(redis, tallyd)
    else:
        refused(tallyd, "redis_lost", "TLS: ")


def test_an_expired_certificate_is_refused(lab, authority):
    redis = TlsRedis(lab, authority, days=-1)
    refused(lab.tallyd(redis, redis_ca=authority.cert), "certificate was refused", "expired")


def test_a_plain_port_is_told_apart_and_nothing_is_sent_to_it(lab, authority):
    redis = lab.redis()
    refused(lab.tallyd(At(redis, redis.url.replace("redis://", "rediss://")), redis_ca=authority.cert), "TLS", "port")
    assert redis.read_all() == {}


def test_a_plain_url_does_not_get_through_a_tls_port(lab, authority):
    redis = TlsRedis(lab, authority)
    refused(lab.tallyd(At(redis, redis.url.replace("rediss://", "redis://"))), "redis_lost")


@pytest.mark.parametrize("option", ["redis_ca", "redis_cert"])
def test_a_file_that_cannot_be_used_is_named_at_the_start(lab, authority, tmp_path, option):
    redis = TlsRedis(lab, authority)
    tallyd = lab.tallyd(redis, start=False, **{option: str(tmp_path / "missing.pem")}).spawn()
    assert tallyd.join() == 64
    assert "missing.pem" in tallyd.log()


def test_a_rotated_password_file_is_read_again_after_wrongpass_and_on_sighup(lab, authority):
    redis = TlsRedis(lab, authority)
    tallyd = lab.tallyd(redis, redis_ca=authority.cert)
    hit_and_find(redis, tallyd)

    new = redis.password + "-new"
    redis.plain.command("CONFIG", "SET", "requirepass", new)
    redis.plain.password = new
    redis.plain.command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
    tallyd.hit("tls", "a", 4)
    wait.until(lambda: tallyd.metrics().get("redis_errors_total", **{"class": "wrongpass"}) > 0, "the old password is refused", 10)
    tallyd.write_password(new)
    wait.until(lambda: redis.stored(b"tls:a") == 7, "the new password is found", 15)

    def connects():
        return tallyd.metrics()["redis_reconnects_total"]

    before = connects()
    os.kill(tallyd.pid, signal.SIGHUP)
    wait.until(lambda: connects() == before + 1, "a new connection", 10)
    tallyd.hit("tls", "a")
    wait.until(lambda: redis.stored(b"tls:a") == 8, "it goes on counting", 10)
