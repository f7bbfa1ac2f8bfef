"""Pages that are made of the plan, and prices that say where they come from."""
import datetime
import json
import re

import pytest

import documents
import stack

BOOK = json.loads((stack.INFRA / "prices.json").read_text())


def test_pages_are_what_is_planned():
    """reach.svg and the README's tables of costs; infra/tests/refresh makes them anew."""
    stale = [str(path.relative_to(stack.REPO)) for path, text in documents.pages().items() if not path.is_file() or path.read_text() != text]
    assert not stale, stale


@pytest.mark.parametrize("what", BOOK["prices"])
def test_a_price_has_a_source_and_a_date_or_is_left_open(what):
    price = BOOK["prices"][what]
    assert price["source"].startswith("https://") and price["unit"]
    assert (price["usd"] is None) == ("of" not in price), "a number without a date, or a date without a number"
    assert price["usd"] is None or re.fullmatch(r"20\d\d(-\d\d(-\d\d)?)?", price["of"]) and price["usd"] > 0
    datetime.date.fromisoformat(BOOK["read"])


def test_everything_that_costs_by_the_hour_is_in_the_table():
    """No node type of any environment is without a line, and the picture of what costs is not empty."""
    table = documents.costs()
    for env in stack.environments():
        e = stack.load_environment(env)
        for kind in {t for g in e.all("aws_eks_node_group") for t in g["instance_types"]} | {m["node_type"] for m in e.all("aws_memorydb_cluster")}:
            assert "| %s |" % kind in table, kind
    assert table.count("×") >= 40
