"""Dockerfile and compose file, as far as they can be judged without building."""
import re

import yaml

from conftest import ROOT, run, secrets_in, tool

DOCKER = ROOT / "docker"
DOCKERFILE = (DOCKER / "Dockerfile").read_text(encoding="utf-8")
COMPOSE = yaml.safe_load((DOCKER / "compose.yaml").read_text(encoding="utf-8"))
SERVICES = COMPOSE["services"]
DIGEST = re.compile(r"@sha256:[0-9a-f]{64}$")


def test_every_stage_stands_on_the_pinned_base():
    base = re.search(r"^ARG BASE=(\S+)$", DOCKERFILE, re.M)[1]
    assert base.startswith("debian:trixie-slim@") and DIGEST.search(base)
    stages = re.findall(r"^FROM (\S+) AS (\S+)$", DOCKERFILE, re.M)
    assert stages == [("${BASE}", "tools"), ("tools", "build"), ("${BASE}", "runtime"), ("runtime", "debug"), ("runtime", "tallyd")]


def test_packages_leave_nothing_behind():
    for command in re.findall(r"^RUN (apt-get(?:.*\\\n)*.*)$", DOCKERFILE, re.M):
        assert "--no-install-recommends" in command and "rm -rf /var/lib/apt/lists/*" in command


def test_every_stage_that_runs_is_the_users():
    for name in ("runtime", "debug"):
        stage = DOCKERFILE.split(f"AS {name}\n")[1].split("\nFROM ")[0]
        assert re.findall(r"^USER (\S+)$", stage, re.M)[-1] == "31870:31870"


def test_runtime_has_no_tools_and_debug_has_them():
    runtime = DOCKERFILE.split("AS runtime\n")[1].split("\nFROM ")[0]
    debug = DOCKERFILE.split("AS debug\n")[1].split("\nFROM ")[0]
    for package in ("gdb", "bpftrace", "linux-perf", "strace"):
        assert package not in runtime and package in debug


def test_build_sees_the_sources_only():
    lines = [line for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]
    assert lines == ["*", "!Makefile", "!src"]


def test_compose_file_is_read_by_composes_own_loader(tmp_path):
    """It checks the schema, and that what is referred to is there; a word that it does not know is refused."""
    done = run(tool("compose"), "-format", "json", DOCKER / "compose.yaml")
    assert set(yaml.safe_load(done.stdout)["services"]) == set(SERVICES)
    wrong = tmp_path / "compose.yaml"
    wrong.write_text((DOCKER / "compose.yaml").read_text(encoding="utf-8").replace("read_only: true", "readonly: true"), encoding="utf-8")
    assert "readonly" in run(tool("compose"), wrong, check=False).stderr


def test_compose_images_are_digests():
    for name, service in SERVICES.items():
        assert DIGEST.search(service["image"]) or (name == "tallyd" and "build" in service)


def test_compose_confines_tallyd_as_the_pod_is():
    tallyd = SERVICES["tallyd"]
    assert tallyd["read_only"] and tallyd["cap_drop"] == ["ALL"] and "no-new-privileges:true" in tallyd["security_opt"]
    profile = next(o.split("=")[1] for o in tallyd["security_opt"] if o.startswith("seccomp="))
    assert (DOCKER / profile).resolve() == ROOT / "deploy/seccomp/tallyd.json"
    assert tallyd["tmpfs"][0].startswith(tallyd["environment"]["TALLYD_STATE_DIR"] + ":")


def test_compose_gives_the_drain_its_time():
    tallyd = SERVICES["tallyd"]
    seconds = lambda text: int(text.rstrip("s"))
    environment = tallyd["environment"]
    assert seconds(tallyd["stop_grace_period"]) >= seconds(environment["TALLYD_DRAIN_DELAY"]) + seconds(environment["TALLYD_DRAIN_TIMEOUT"]) + 5


def test_compose_publishes_on_loopback_and_never_the_admin_port():
    published = [p for service in SERVICES.values() for p in service.get("ports", [])]
    assert all(p.startswith("127.0.0.1:") for p in published)
    assert SERVICES["tallyd"]["ports"] == ["127.0.0.1:8080:8080"]


def test_compose_refers_only_to_what_exists():
    names = set(SERVICES)
    for service in SERVICES.values():
        assert set(service.get("depends_on", {})) <= names and set(service["networks"]) <= set(COMPOSE["networks"])
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            assert (DOCKER / source).exists() if source.startswith(".") else source in COMPOSE["volumes"], source
    for condition in SERVICES["tallyd"]["depends_on"].values():
        assert condition["condition"] == "service_healthy"


def test_compose_prometheus_scrapes_tallyd_by_the_job_of_the_rules():
    prometheus = yaml.safe_load((DOCKER / "prometheus.yml").read_text(encoding="utf-8"))
    job = prometheus["scrape_configs"][0]
    assert job["job_name"] == "tallyd" and job["static_configs"][0]["targets"] == ["tallyd:9090"]
    assert SERVICES["tallyd"]["environment"]["TALLYD_ADMIN"].endswith(":9090")


def test_compose_grafana_finds_its_source_and_dashboards():
    source = yaml.safe_load((DOCKER / "grafana/datasource.yaml").read_text(encoding="utf-8"))["datasources"][0]
    assert source["url"] == "http://prometheus:9090" and source["isDefault"]
    path = yaml.safe_load((DOCKER / "grafana/dashboards.yaml").read_text(encoding="utf-8"))["providers"][0]["options"]["path"]
    assert f"../deploy/monitoring/dashboards:{path}:ro" in SERVICES["grafana"]["volumes"]
    home = SERVICES["grafana"]["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]
    assert (ROOT / "deploy/monitoring/dashboards" / home.rsplit("/", 1)[1]).is_file()


def test_nothing_secret_stands_there():
    for path in DOCKER.rglob("*"):
        if path.is_file():
            assert secrets_in(path.read_text(encoding="utf-8")) == []
