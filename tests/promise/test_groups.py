"""The same thing said of many: once, however many requests it took."""

from __future__ import annotations

from cloud_runs.promise import groups, progress


def test_reasons_that_differ_in_the_request_alone_are_one() -> None:
    told = [
        ("07", "403 AccessDenied (request NTk1). Give the key the right"),
        ("08", "403 AccessDenied (request NTk2). Give the key the right"),
        ("09", "403 AccessDenied"),
        ("10", "403 AccessDenied (request NTk3). Give the key the right"),
    ]
    assert groups.alike(told) == [(["07", "08", "10"], told[0][1]), (["09"], "403 AccessDenied")]


def test_few_are_named() -> None:
    assert groups.objects(["07", "08"]) == "2 objects (07, 08)"
    assert groups.objects([str(n) for n in range(7)]) == "7 objects (0, 1, 2, 3, 4 and 2 more)"


def test_a_line_of_progress() -> None:
    assert (
        progress.line(7, 12, 1, [10.0, 30.0], [60.0, 100.0, 150.0])
        == "7/12 done, 1 FAILED, 2 running, about 1m30s left"
    )
    assert progress.line(0, 2, 0, [None, None], []) == "0/2 done, 2 running"
    assert progress.line(1, 2, 0, [None], [60.0]) == "1/2 done, 1 running", "of one it is not known since when it runs"
    assert progress.line(1, 2, 0, [500.0], [60.0]) == "1/2 done, 1 running", "it is late"
    assert progress.line(1, 2, 0, [1.0], [3600.0]) == "1/2 done, 1 running, about 1h left"
    assert progress.line(2, 2, 0, [], [1.0]) == "2/2 done"
    assert progress.line(1, 3, 0, [70.0] * 2, [], 70.2) == "1/3 done, 2 running, 1m10s"
    assert progress.line(1, 2, 0, [30.0], [90.0], 30.0) == "1/2 done, 1 running, about 1m left"
    assert progress.line(50, 300, 50, [1.0] * 200, [36_000.0]) == "50/300 done, 50 FAILED, 200 running, about 10h left"


def test_one_and_many() -> None:
    assert [groups.many(count, "run") for count in (0, 1, 2)] == ["0 runs", "1 run", "2 runs"]
    assert groups.objects(["a"]) == "1 object (a)"
    assert groups.reasons({"a": "no", "b": "no", "c": "never"}) == "\n  2 objects (a, b): no\n  c: never"
