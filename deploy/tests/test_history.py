"""The commit in which the faults of Deployment were found: what today's tests have against its files, case by case. So none of them is blind.

The tests, their tools and the program's own tables are today's; manifests, chart, pipelines and monitoring are those of then."""
import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ET

import pytest

from conftest import CACHE, ROOT, run
from reading import OPTIONS

COMMIT = "ff895a8"
TODAYS = ("deploy/tests", "deploy/tools", "deploy/monitoring/tests", "deploy/monitoring/metrics.yaml", "infra", "src")
KEEPS = "test_overlays.py::test_overlay_keeps"
# Case → tests that must fail.
CASES = {
    "D1 statx": ["test_seccomp.py::test_profile_allows_what_a_runtime_does_before_it_executes_the_daemon[statx]"],
    "D2 architectures": ["test_pools.py::test_image_is_built_for_every_node[prod]", "test_ci.py::test_every_platform_of_the_index_has_a_machine"],
    "D3 nodes": ["test_pools.py::test_pods_fit_on_the_nodes_that_they_may_have[dev]", "test_pools.py::test_pods_fit_on_the_nodes_that_they_may_have[staging]"],
    "D4 registry and pin": ["test_registry.py::test_release_is_in_every_accounts_registry[prod]", "test_ci.py::test_release_is_proposed_for_every_environment"],
    "D5 namespace": ["test_helm.py::test_chart_makes_no_namespace", "test_helm.py::test_the_command_of_the_documents_renders_as_it_stands"],
    "D6 drain": [f"{KEEPS}[grace_covers_the_drain-prod]", "test_pools.py::test_drain_deregistration_grace_and_shutdown_are_in_order[prod]"],
    "D7 one Prometheus": [f"{KEEPS}[everything_asks_one_prometheus-prod]", "test_monitoring.py::test_prometheus_stack_takes_what_lies_in_our_namespace"],
    "D8 chart": ["test_helm.py::test_chart_has_no_links_and_its_copies_are_fresh", "test_helm.py::test_every_value_is_described_and_has_a_default"],
    "D9 flush slow, traffic gone, autoscaler, OOM, state full, secret, rollout": ["test_monitoring.py::test_alerts_fire_and_stay_silent_as_their_cases_say"],
    "D9 analysis": [f"{KEEPS}[analysis_judges_the_new_pods_alone-prod]"],
    "D9 matchLabelKeys": [f"{KEEPS}[pods_spread_over_zones_and_hosts-prod]"],
    "D9 blue-green to 0": [f"{KEEPS}[one_owner_of_the_replicas-prod]", f"{KEEPS}[rollout_waits_for_its_autoscaler-prod]"],
    "D9 port 9090": [f"{KEEPS}[admin_port_is_open_to_few-{overlay}]" for overlay in ("dev", "staging", "prod", "prod-dr")],
    "D9 Karpenter in events": ["test_events.py::test_karpenter_takes_no_node_away_during_an_event"],
    "D9 runbook_url": ["test_monitoring.py::test_alert_says_who_is_called_and_what_to_do[TallydFlushSlow]", "test_monitoring.py::test_an_alert_of_one_process_names_its_pod"],
    "D9 burn rates": ["test_monitoring.py::test_every_burn_rate_has_its_two_windows"],
    "D10 pipelines": ["test_ci.py::test_both_pipelines_do_the_same", "test_ci.py::test_only_a_release_can_prove_who_it_is_or_write",
                      "test_ci.py::test_publishing_waits_for_every_check_and_a_tag"],
    "D10 findings": ["test_ci.py::test_what_the_scanner_finds_is_a_list_for_the_code_host_and_a_failure"],
    "D11 formatter": ["test_ci.py::test_formatter_that_is_missing_is_a_failure_under_ci[15.0.7-true-1-1 failed]"],
    "D11 locks": ["test_one_installer.py::test_no_other_script_calls_apt", "test_one_installer.py::test_installer_waits_for_another_apt_and_for_nothing_else"],
}
ALERTS = ("FlushSlow", "TrafficGone", "AutoscalerAtMaximum", "OutOfMemory", "StateFull", "SecretNotSynced", "RolloutStuck")


def known():
    return subprocess.run(["git", "cat-file", "-e", COMMIT + "^{commit}"], cwd=ROOT, capture_output=True, check=False).returncode == 0


@pytest.fixture(scope="module")
def then(tmp_path_factory):
    """Test → how it ended there, and what it said."""
    if not known():
        pytest.skip(f"a shallow clone has no commit {COMMIT}")
    tree = tmp_path_factory.mktemp("then")
    run("bash", "-c", f"git -C {ROOT} archive {COMMIT} | tar -x -C {tree}")
    for part in TODAYS:
        run("rm", "-rf", tree / part)
        (tree / part).parent.mkdir(parents=True, exist_ok=True)
        run("cp", "-r", ROOT / part, tree / part)
    run("git", "init", "-q", tree)
    report = tree / "report.xml"
    wanted = sorted({f"deploy/tests/{test}" for tests in CASES.values() for test in tests})
    environment = {**os.environ, "DEPLOY_CACHE": str(CACHE), "PYTHONDONTWRITEBYTECODE": "1"}
    done = run(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--junitxml={report}", "-o", "junit_family=xunit2", *wanted, check=False, cwd=tree, env=environment)
    assert report.is_file(), done.stdout + done.stderr
    ends = {}
    for case in ET.parse(report).getroot().iter("testcase"):
        end = next((child for child in case if child.tag in ("failure", "error", "skipped")), None)
        ends[f"{case.get('classname').split('.')[-1]}.py::{case.get('name')}"] = ("passed", "") if end is None else (end.tag, (end.get("message") or "") + (end.text or ""))
    return ends


@pytest.mark.parametrize("case", CASES)
def test_todays_tests_are_against_the_commit_of_the_case(case, then):
    for test in CASES[case]:
        ends = [end for name, end in then.items() if name == test or name.startswith(test + "[")]
        assert ends, f"{test} did not run there"
        if {end for end, _ in ends} == {"skipped"}:
            pytest.skip(ends[0][1])
        assert "failure" in {end for end, _ in ends}, f"{test} has nothing against {COMMIT}: {ends}"


@pytest.mark.parametrize("alert", ALERTS)
def test_each_case_of_an_alert_that_was_missing_or_wrong_fails_there(alert, then):
    end, says = then["test_monitoring.py::test_alerts_fire_and_stay_silent_as_their_cases_say"]
    if end == "skipped":
        pytest.skip(says)
    assert f"alertname: Tallyd{alert}" in says


def test_rules_of_then_did_not_know_every_option():
    """D12: they were a copy by hand. Today's come from the program's table, and test_daemon compares them with --help."""
    if not known():
        pytest.skip(f"a shallow clone has no commit {COMMIT}")
    show = lambda path: run("git", "-C", ROOT, "show", f"{COMMIT}:{path}").stdout
    copied = set(re.search(r'^OPTIONS = .*? in \((.*?)\)\.split', show("deploy/tests/rules.py"), re.M | re.S)[1].replace('"', "").split())
    named = set(re.findall(r'OPTION\("[^"]+", "([a-z0-9-]+)"', show("src/app/options_table.h")))
    assert {name.upper().replace("-", "_") for name in named} - copied, "the copy was complete"
    assert {f"TALLYD_{name}" for name in copied} < OPTIONS
