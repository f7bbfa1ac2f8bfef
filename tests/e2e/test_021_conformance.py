"""The server keeps RFC 9112 and RFC 9110, rule by rule. conformance/cases.py has the table, `make conformance` prints it."""

import pytest
from conformance import cases, check
from harness.tallyd import ENGINES

pytestmark = pytest.mark.short


@pytest.mark.parametrize("engine", ENGINES)
def test_every_rule_of_the_table_holds(lab, engine):
    server = lab.tallyd(io=engine, workers=1)
    assert server.metrics().get("io_engine_info", engine=engine) == 1
    faults = [f"{case.section} {case.rule}: {fault}" for case in cases.CASES if (fault := check.wrong(server, case))]
    assert not faults, "\n".join(faults)


def test_a_rule_that_does_not_hold_is_noticed(lab):
    server = lab.tallyd(workers=1)
    good = cases.Case("2.1", "a valid request", cases.request(), (204,), 1, True)
    wrongs = [good._replace(statuses=(400,)), good._replace(counted=2), good._replace(open=False),
              good._replace(statuses=(204, 204)), good._replace(fields={"allow": "GET"}),
              good._replace(fields={"date": None}), good._replace(statuses=(204, 204), counted=2, rest=good.request)]
    assert check.wrong(server, good) is None
    assert all(check.wrong(server, case) for case in wrongs)
