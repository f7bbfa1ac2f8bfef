"""What the documents say of the plan: the picture of who reaches whom, and the tables of costs. `infra/tests/refresh` writes it, a test compares."""
import json
import subprocess
import tempfile
import pathlib

import stack
from judges import picture
from judges.accounts import account

BEGIN, END = "<!-- costs: begin -->", "<!-- costs: end -->"


def costs():
    """What infra/scripts/costs says of every environment as it is planned."""
    with tempfile.TemporaryDirectory() as scratch:
        words = []
        for env in ("dev", "staging", "prod", "prod-dr"):
            folder = pathlib.Path(scratch) / env
            folder.mkdir()
            for a in stack.load_environment(env).applied:
                (folder / (a.stack + ".json")).write_text(json.dumps(a.state))
            words.append("%s=%s" % (env, folder))
        return subprocess.run([stack.INFRA / "scripts" / "costs", *words], check=True, capture_output=True, text=True).stdout


def pages():
    """{path: what it should be}"""
    readme = stack.INFRA / "README.md"
    head, rest = readme.read_text().split(BEGIN)
    return {stack.INFRA / "reach.svg": picture.svg(account("prod")), readme: "%s%s\n%s%s%s" % (head, BEGIN, costs(), END, rest.split(END)[1])}


def write():
    for path, text in pages().items():
        path.write_text(text)
