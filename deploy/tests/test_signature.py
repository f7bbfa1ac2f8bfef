"""The release's signature, provenance and bills of materials, by a key of one's own: `make check-release`."""
import base64
import json
from types import SimpleNamespace

import pytest

from conftest import ROOT, run, tool
from test_release import DIGEST, VERSION, registry, release, serve_registry

assert registry


@pytest.fixture(scope="module")
def signed(release, tmp_path_factory):
    home = tmp_path_factory.mktemp("keys")
    release.environment.update(DOCKER_CONFIG=str(home), COSIGN_PASSWORD="x", COSIGN_KEY=str(home / "cosign.key"))
    run(tool("cosign"), "generate-key-pair", cwd=home, env=release.environment)
    for digest in release.parts.values():  # each on the machine that pushed it
        DIGEST.write_text(digest)
        release.publish("attest")
    DIGEST.write_text(release.digest)
    release.publish("sign")
    return release


def verify(release, command, digest, *more):
    key = release.environment["COSIGN_KEY"].replace(".key", ".pub")
    return run(tool("cosign"), command, "--key", key, "--insecure-ignore-tlog", "--allow-http-registry", "--allow-insecure-registry", *more,
               f"{release.image}@{digest}", check=False, env=release.environment)


def predicate(release, digest, kind):
    done = verify(release, "verify-attestation", digest, "--type", kind)
    assert done.returncode == 0, done.stderr
    return json.loads(base64.b64decode(json.loads(done.stdout)["payload"]))["predicate"]


def test_release_is_signed_and_says_where_it_comes_from(signed):
    done = verify(signed, "verify", signed.digest)
    assert done.returncode == 0, done.stderr
    says = predicate(signed, signed.digest, "slsaprovenance1")["buildDefinition"]
    assert says["externalParameters"] == {"version": VERSION}
    assert says["resolvedDependencies"][0]["digest"]["gitCommit"] == run("git", "-C", ROOT, "rev-parse", "HEAD").stdout.strip()


def test_each_platform_has_its_bill_of_materials(signed):
    for digest in signed.parts.values():
        assert {"tallyd", "liburing2"} <= {p["name"] for p in predicate(signed, digest, "spdxjson")["packages"]}


def test_another_account_gets_the_same_release_with_all_that_was_attached(signed):
    """What prod runs is what was signed: one digest in every registry."""
    with serve_registry() as address:
        other = SimpleNamespace(image=f"{address}/tallyd", environment=signed.environment)
        signed.publish("login")
        signed.publish("copy", COPY=other.image)
        digest = lambda what: run(tool("crane"), "digest", "--insecure", what).stdout.strip()
        assert digest(f"{other.image}:{VERSION}") == signed.digest
        assert digest(f"{address}/charts/tallyd:{VERSION}") == digest(f"{signed.image.split('/')[0]}/charts/tallyd:{VERSION}")
        assert verify(other, "verify", signed.digest).returncode == 0
        assert predicate(other, signed.digest, "slsaprovenance1")["buildDefinition"]["externalParameters"] == {"version": VERSION}
        for part in signed.parts.values():
            assert predicate(other, part, "spdxjson")["packages"]


def test_what_is_not_signed_is_not_believed(signed):
    assert verify(signed, "verify", signed.parts["amd64"]).returncode != 0
