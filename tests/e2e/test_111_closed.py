"""What guards something fails closed: files that are cut, emptied or not theirs to trust, and bodies made to cost."""

import json
import os

import pytest
from harness import tallyd

HERE = ["--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"]
TOKEN = "a-token-of-the-tests-01"
WRONG = {  # (option, what is wrong with the file): its bytes
    ("token-file", "no right"): f"{TOKEN}\n", ("token-file", "cut"): f"{TOKEN} write:blog",
    ("token-file", "cut later"): f"{TOKEN} write:blog\n{TOKEN}", ("token-file", "no namespace"): f"{TOKEN} write:\n",
    ("access-file", "cut"): "blog token", ("access-file", "cut later"): "blog key a\nblog",
    ("access-file", "NUL"): "blog token\n\0blog key a\n",
    ("bots-file", "cut"): "ExampleBot", ("bots-file", "NUL"): "Example\0Bot\n",
}
WRONG |= {(option, what): text for option in ("token-file", "access-file", "bots-file") for what, text in
          {"empty": "", "comment": "# only a comment\n", "no UTF-8": "\xff\n", "large": "a" * 300_000 + "\n"}.items()}


@pytest.mark.parametrize("option,what", WRONG)
@pytest.mark.parametrize("check", [True, False], ids=["check", "start"])
def test_a_file_that_is_not_whole_is_refused_at_the_start_and_by_check(tmp_path, option, what, check):
    path = tmp_path / "file"
    path.write_bytes(WRONG[option, what].encode("latin-1"))
    code, _, err = tallyd.run(tmp_path, HERE + [f"--{option}", str(path)] + (["--check"] if check else []))
    assert code == (64 if check else 78) and f"--{option}" in err, err
    assert TOKEN not in err


@pytest.mark.parametrize("members", [17, 9000])
def test_a_body_with_many_members_is_refused_before_its_names_are_hashed(lab, members):
    server = lab.tallyd()
    wide = {f"m{i}": 1 for i in range(members)}
    for body in ({"hits": [], **wide}, {"hits": [{"ns": "a", "key": "b", **wide}]}):
        answer = server.fetch("/v1/hits", "POST", (), json.dumps(body, separators=(",", ":")).encode()[:65536])
        assert answer.status in (202, 400)
        assert answer.status == 400 or answer.json()["accepted"] == 0
    assert os.path.exists(f"/proc/{server.pid}") and server.value("a", "b") is None
