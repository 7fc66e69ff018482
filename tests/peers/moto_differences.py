"""A pytest plugin: the tests of moto that `moto_differences.txt` lists are expected to fail, and one that passes fails the run.

A line of the list is `FILE::TEST: why moto differs from AWS, or why it is no business of the sandbox`; `#` begins a comment.
A reason that begins with `(not run)` is for a test that would never end.
"""

import pathlib

import pytest

LIST = pathlib.Path(__file__).with_name("moto_differences.txt")
NOT_RUN = "(not run)"


def listed():
    """-> reason by test"""
    reasons = {}
    for number, line in enumerate(LIST.read_text(encoding="utf-8").splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        test, separator, reason = line.partition(": ")
        if not separator or not reason.strip() or test in reasons:
            raise pytest.UsageError(f"{LIST.name}:{number}: expected `FILE::TEST: reason`, each test once")
        reasons[test] = reason.strip()
    return reasons


def pytest_collection_modifyitems(items):
    reasons = listed()
    unmet = set(reasons)
    for item in items:
        name = f"{item.path.name}::{item.nodeid.partition('::')[2]}"
        for candidate in (name, name.partition("[")[0]):
            if candidate in reasons:
                unmet.discard(candidate)
                reason = reasons[candidate]
                item.add_marker(pytest.mark.xfail(strict=True, run=not reason.startswith(NOT_RUN), reason=reason))
                break
    if unmet:
        raise pytest.UsageError(f"{LIST.name} lists tests that are not there: {', '.join(sorted(unmet))}")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    is_listed = item.get_closest_marker("xfail") is not None
    if is_listed and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome, report.longrepr = "failed", f"{LIST.name} lists a test that moto itself skips"
    return report
