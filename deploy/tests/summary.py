#!/usr/bin/python3
"""Says in one line what pytest's report has: summary.py REPORT.xml. Under CI=true a check that was skipped is a failure."""
import os
import sys
import xml.etree.ElementTree as tree


def main(path):
    suite = tree.parse(path).getroot().find("testsuite")
    count = {name: int(suite.get(name)) for name in ("tests", "failures", "errors", "skipped")}
    failed = count["failures"] + count["errors"]
    passed = count["tests"] - failed - count["skipped"]
    if os.environ.get("CI") == "true" and count["skipped"]:
        print("what is skipped checks nothing: under CI it fails")
        failed, count["skipped"] = failed + count["skipped"], 0
    print(f"{passed} passed, {failed} failed, {count['skipped']} skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
