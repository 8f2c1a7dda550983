"""The rules, for one run and for many objects by the same cases: a run is a fan-out over the one object ''."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import pytest

from cloud_runs.errors import RunsError
from cloud_runs.promise import rules
from cloud_runs.promise.digests import digest_of_objects
from cloud_runs.promise.ignored import is_ignored
from cloud_runs.promise.ledger import ATTEMPTS
from cloud_runs.promise.process import Process
from cloud_runs.promise.records import Before, Content, Fired, Former, Intent, Moment, Recorded
from cloud_runs.promise.rules import Ask, Doubt, Due
from tests.promise.kit import SPACE, TWIN, URN, A, B, many_on_record, moment

HERE = "here"
WANTED = Content({"workflow_id": "w1", "input": "i1"}, {"build": "1"})
OTHER_ARGUMENT = Content({"workflow_id": "w2", "input": "i1"}, {"build": "1"})
OTHER_TRIGGER = Content({"workflow_id": "w1", "input": "i1"}, {"build": "2"})
NEW_TRIGGER = Content(WANTED.arguments, {"build": "1", "day": "1"})
FEWER_TRIGGERS = Content(WANTED.arguments, {})
LESS = Content({"workflow_id": "w1"}, {"build": "1"})


@dataclass(frozen=True)
class Shape:
    """One run, or many objects."""

    objects: tuple[str, ...]

    @property
    def many(self) -> bool:
        return self.objects != ("",)

    def intent(self, content: Content = WANTED, host: str = HERE, token: str = "t") -> Intent:
        made = moment(0, host, token)
        if not self.many:
            return Intent(made, content)
        return Intent(made, content, objects=digest_of_objects(self.objects), attempts=(made,))

    def ask(self, intent: Intent | None, content: Content = WANTED, ignored: Sequence[str] = ()) -> Ask:
        listed = digest_of_objects(self.objects) if self.many else ""
        return Ask(URN, intent, content, frozenset(ignored), self.objects, listed)

    def record(self, content: Content = WANTED, token: str = "t", beside: str = "") -> Recorded:
        fired = Fired(token, content, None, beside or token, moment(0) if self.many else None)
        return Recorded("r", fired, {key: f"id of {key}" for key in self.objects})

    def work(self, what: str, old: Recorded | None = None, *moments: Moment) -> Told:
        """What `decided` tells: kept, fired, or looked for since these moments; and the record that goes."""
        if what == "kept":
            return what, old, ()
        return what, old, moments


Told = tuple[str, Recorded | None, tuple[Moment, ...]]


@pytest.fixture(params=[("",), ("a",), ("a", "b", "c")], ids=["a run", "one object", "objects"])
def shape(request: pytest.FixtureRequest) -> Shape:
    return Shape(request.param)


@pytest.fixture
def process() -> Process:
    return Process(id=HERE)


def decided(
    shape: Shape, process: Process, intent: Intent | None, content: Content = WANTED, ignored: Sequence[str] = ()
) -> Told:
    """One thing for all objects, else it is no rule."""
    ask = shape.ask(intent, content, ignored)
    work = rules.decide(ask, process.before(URN, ask.token), process)
    if work.keep:
        assert (work.fire, work.look, work.replaced) == ((), [], None)
        return "kept", work.keep, ()
    if work.fire:
        assert (tuple(work.fire), work.look) == (shape.objects, ())
        return "fired", work.replaced, ()
    ((keys, moments),) = work.look
    assert tuple(keys) == tuple(work.doubtful) == shape.objects
    return "looked for", work.replaced, tuple(dict.fromkeys(moments))


MANY = Shape(("a", "b", "c"))


def at(minute: float, *, here: bool = False) -> Moment:
    return moment(minute, HERE if here else "another")


def record(ids: str = "", refused: str = "", attempt: Moment | None = None, *doubt: Moment) -> Recorded:
    return many_on_record({key: f"id of {key}" for key in ids}, refused, attempt or at(0), doubt)


def told(run: Recorded, attempt: Moment) -> Recorded:
    return replace(run, fired=replace(run.fired, told=attempt.token))


# -- what `create` does: the table, row by row


def test_no_token_is_refused(shape: Shape, process: Process) -> None:
    with pytest.raises(RunsError, match="nothing was fired: its intent is not part of this update"):
        decided(shape, process, None)


def test_no_token_is_refused_whatever_is_on_record_or_deleted(shape: Shape, process: Process) -> None:
    process.saw(URN, SPACE, shape.record())
    process.deleted("t", SPACE, shape.record())
    with pytest.raises(RunsError, match="nothing was fired"):
        decided(shape, process, None)


@pytest.mark.parametrize("asked", [OTHER_ARGUMENT, OTHER_TRIGGER, NEW_TRIGGER, LESS])
@pytest.mark.parametrize("deleted", [False, True])
def test_a_token_of_an_earlier_process_for_other_work_is_refused(
    shape: Shape, process: Process, asked: Content, deleted: bool
) -> None:
    if deleted:
        process.deleted("t", SPACE, shape.record())
    with pytest.raises(RunsError, match=r"name the intent too: .*::run-intent"):
        decided(shape, process, shape.intent(host="earlier"), asked)


def test_a_removed_trigger_is_no_other_work(shape: Shape, process: Process) -> None:
    work = decided(shape, process, shape.intent(host="earlier"), FEWER_TRIGGERS)
    assert work == shape.work("looked for", None, moment(0, "earlier", "t"))


def test_a_token_of_this_process_stands_for_what_is_asked_now(shape: Shape, process: Process) -> None:
    """Whatever a transform has made of the run after its intent."""
    assert decided(shape, process, shape.intent(), OTHER_ARGUMENT) == shape.work("fired")


@pytest.mark.parametrize("host", [HERE, "earlier"])
@pytest.mark.parametrize("content", [WANTED, NEW_TRIGGER, Content({**WANTED.arguments}, {"build": "1", "x": "y"})])
def test_taken_back_is_kept(shape: Shape, process: Process, host: str, content: Content) -> None:
    old = shape.record(content, "of its fire")
    process.saw(URN, SPACE, old)
    assert decided(shape, process, shape.intent(host=host)) == shape.work("kept", old)


@pytest.mark.parametrize("content", [OTHER_ARGUMENT, OTHER_TRIGGER, LESS, FEWER_TRIGGERS])
def test_what_was_fired_for_something_else_is_not_kept(shape: Shape, process: Process, content: Content) -> None:
    old = shape.record(content, "of its fire")
    process.saw(URN, SPACE, old)
    assert decided(shape, process, shape.intent()) == shape.work("fired", old)


def test_under_the_token_beside_it_it_is_not_taken_back(shape: Shape, process: Process) -> None:
    """A forced replacement of an earlier `up`, killed between its delete and its start, or after it."""
    old = shape.record(token="of its fire", beside="t")
    process.saw(URN, SPACE, old)
    made = moment(0, "earlier", "t")
    assert decided(shape, process, shape.intent(host="earlier")) == shape.work("looked for", old, made)


@pytest.mark.parametrize("host", [HERE, "earlier"])
@pytest.mark.parametrize("seen", [False, True])
@pytest.mark.parametrize("token", ["t", "of its fire"])
def test_just_deleted_here_is_fired(shape: Shape, process: Process, host: str, seen: bool, token: str) -> None:
    """By the intent's token, or by the record that `diff` has shown."""
    old = shape.record(token=token)
    if seen:
        process.saw(URN, SPACE, old)
    process.deleted(token, SPACE, old)
    if seen or token == "t":
        assert decided(shape, process, shape.intent(host=host)) == shape.work("fired", old)
    elif host == HERE:
        assert decided(shape, process, shape.intent()) == shape.work("fired")
    else:
        made = moment(0, "earlier", "t")
        assert decided(shape, process, shape.intent(host=host)) == shape.work("looked for", None, made)


def test_the_record_of_another_resource_means_nothing(shape: Shape, process: Process) -> None:
    process.saw(TWIN, SPACE, shape.record(token="of its fire"))
    assert decided(shape, process, shape.intent()) == shape.work("fired")


def test_minted_here_is_fired(shape: Shape, process: Process) -> None:
    assert decided(shape, process, shape.intent()) == shape.work("fired")


def test_anything_else_is_looked_for(shape: Shape, process: Process) -> None:
    made = moment(0, "earlier", "t")
    assert decided(shape, process, shape.intent(host="earlier")) == shape.work("looked for", None, made)


@pytest.mark.parametrize("deleted", [False, True])
def test_what_this_process_has_sent_is_looked_for(shape: Shape, process: Process, deleted: bool) -> None:
    """An error hook asks again."""
    old = shape.record() if deleted else None
    if old:
        process.deleted("t", SPACE, old)
    intent = shape.intent(host="earlier" if deleted else HERE)
    attempt = shape.ask(intent).attempt
    first, second = process.attempting(URN, attempt), process.attempting(URN, attempt)
    assert decided(shape, process, intent) == shape.work("looked for", old, first, second)
    process.refused(URN, attempt)
    assert decided(shape, process, intent) == shape.work("looked for", old, first), "the other came to nothing"
    process.refused(URN, attempt)
    assert decided(shape, process, intent) == shape.work("fired", old)


def test_what_an_earlier_process_may_have_sent_is_looked_for_beside_it(shape: Shape, process: Process) -> None:
    intent = shape.intent(host="earlier")
    sent = process.attempting(URN, shape.ask(intent).attempt)
    assert decided(shape, process, intent) == shape.work("looked for", None, intent.moment, sent)


@pytest.mark.parametrize(("host", "told"), [("earlier", True), (HERE, False)])
def test_a_trigger_that_was_added_and_is_removed_abandons_what_it_may_have_started(
    shape: Shape, process: Process, host: str, told: bool
) -> None:
    """It asks for no new intent, so that nothing else would tell."""
    old = shape.record(token="of its fire")
    process.saw(URN, SPACE, old)
    intent = shape.intent(NEW_TRIGGER, host)
    before = process.before(URN, intent.token)
    found = rules.abandoned(shape.ask(intent), before, process)
    assert list(dict.fromkeys(found)) == ([intent.moment] if told else [])
    assert rules.abandoned(shape.ask(intent, NEW_TRIGGER), before, process) == [], "it is not taken back"


@pytest.mark.parametrize(
    ("attempts", "own", "expected"),
    [
        ([at(0)], record("ab"), []),
        ([at(0), at(5)], record("ab"), ["t5"]),
        ([at(0), at(5), at(9, here=True)], record("ab"), ["t5"]),
        ([at(0)], record("a", "b", at(0), at(2)), ["t2"]),
        ([at(0), at(5)], record("a", "b", at(0), at(2)), ["t5", "t2"]),
    ],
)
def test_a_forced_replacement_abandons_what_was_added_or_refused(
    process: Process, attempts: list[Moment], own: Recorded, expected: list[str]
) -> None:
    process.deleted("t", SPACE, own)
    intent = Intent(moment(0, "another", "t"), WANTED, attempts=tuple(attempts))
    found = rules.abandoned(MANY.ask(intent), process.before(URN, "t"), process)
    assert [one.token for one in found] == expected
    fresh = Intent(moment(0, HERE, "fresh"), WANTED, attempts=tuple(attempts))
    assert rules.abandoned(MANY.ask(fresh), Before(own, deleted=True), process) == [], "told by Process.former"


# -- a fan-out that is not on record


@pytest.mark.parametrize("attempts", [[at(0)], [at(0), at(5, here=True)], [at(0), at(5)]])
def test_after_a_kill_all_is_looked_for(process: Process, attempts: list[Moment]) -> None:
    intent = replace(MANY.intent(), moment=at(0), attempts=tuple(attempts))
    assert decided(MANY, process, intent) == MANY.work("looked for", None, *dict.fromkeys([at(0), *attempts]))


def test_just_deleted_is_fired_whatever_the_attempts_say(process: Process) -> None:
    old = MANY.record()
    process.deleted("t0", SPACE, old)
    intent = replace(MANY.intent(), moment=at(0), attempts=(at(0), at(5)))
    assert decided(MANY, process, intent) == MANY.work("fired", old)


@pytest.mark.parametrize(
    ("attempts", "made_for", "ignored", "passes"),
    [
        ([at(0)], "cba", [], True),
        ([at(0)], "ab", [], False),
        ([at(0)], "abcd", [], False),
        ([at(0), at(1, here=True)], "ab", [], True),
        ([at(0)], "ab", ["objects"], True),
        ([at(0)], "ab", ["objects[0]"], True),
        ([at(0)], "ab", ["*"], True),
        ([at(0)], "ab", ["object"], False),
    ],
)
def test_an_intent_is_made_for_its_objects(
    process: Process, attempts: list[Moment], made_for: str, ignored: list[str], passes: bool
) -> None:
    intent = Intent(at(0), WANTED, objects=digest_of_objects(list(made_for)), attempts=tuple(attempts))
    ask = MANY.ask(intent, WANTED, ignored)
    if passes:
        assert rules.intended(ask, process) is intent
    else:
        with pytest.raises(RunsError, match="nothing was fired"):
            rules.intended(ask, process)


# -- a fan-out on record that stays: what it lacks


def added(
    process: Process, objects: str, attempts: Sequence[Moment], own: Recorded
) -> tuple[str, list[tuple[str, str]]]:
    """What is fired, and what is looked for since when."""
    intent = Intent(at(0), WANTED, objects=digest_of_objects(list(objects)), attempts=tuple(attempts))
    work = rules.add(Ask(URN, intent, WANTED, objects=tuple(objects), listed=intent.objects), own, process)
    assert work.keep is own
    assert work.replaced is None
    looks = [("".join(doubt.keys), " ".join(one.token for one in doubt.moments)) for doubt in work.look]
    assert all(keys for keys, _ in looks)
    return "".join(work.fire), looks


def test_nothing_is_lacking(process: Process) -> None:
    assert added(process, "ab", [at(0)], record("ab")) == ("", [])
    assert added(process, "a", [at(0), at(1, here=True)], record("ab")) == ("", [])


def test_new_objects_of_this_update_are_fired(process: Process) -> None:
    assert added(process, "abcd", [at(0), at(5, here=True)], record("ab")) == ("cd", [])


def test_new_objects_of_a_killed_update_are_looked_for_since_then(process: Process) -> None:
    """And not since the attempt on record, which may be weeks ago."""
    assert added(process, "abcd", [at(0), at(5)], record("ab")) == ("", [("cd", "t5")])


def test_objects_changed_again_after_a_kill(process: Process) -> None:
    assert added(process, "abcd", [at(0), at(5), at(9, here=True)], record("ab")) == ("", [("cd", "t5 t9")])


def test_refused_objects_are_looked_for_since_they_were(process: Process) -> None:
    """A retry leaves no trace, so an `up` that was killed may have started them."""
    own = record("ab", "cd", at(0), at(2))
    assert added(process, "abcd", [at(0)], own) == ("", [("cd", "t2")])
    assert added(process, "abcde", [at(0), at(9, here=True)], own) == ("e", [("cd", "t2 t9")])


def test_a_doubt_outlives_later_attempts(process: Process) -> None:
    """Lost under the first attempt, and not found under the second: it is looked for since the first."""
    first, second, third = at(0), at(5), at(9, here=True)
    looks = rules.add(ask_for("axy", [first, second]), record("a", "x", first, first), process).look
    doubt = rules.still_in_doubt(True, True, looks, at(6))
    fire, seen = added(process, "axyz", [first, second, third], record("ay", "x", second, *doubt))
    assert (fire, seen[0][0]) == ("z", "x")
    assert seen[0][1].startswith("t0 ")


def ask_for(objects: str, attempts: Sequence[Moment]) -> Ask:
    return Ask(URN, Intent(at(0), WANTED, attempts=tuple(attempts)), WANTED, objects=tuple(objects))


def test_no_attempt_is_open_and_yet_an_object_is_missing(process: Process) -> None:
    assert added(process, "abc", [at(0)], record("ab")) == ("", [("c", "t0")])


def test_the_attempt_on_record_is_pruned(process: Process) -> None:
    many = [at(minute) for minute in range(100, 100 + ATTEMPTS)]
    fire, ((keys, since),) = added(process, "abc", [*many[1:], at(500, here=True)], record("ab"))
    assert (fire, keys) == ("", "c")
    assert since.startswith("t0 t101 ")


def test_the_intent_is_another_since_a_change_was_taken_back(process: Process) -> None:
    """What an `up` before the change may have started is not forgotten."""
    assert added(process, "abc", [at(9, here=True)], record("ab")) == ("", [("c", "t0 t9")])


def test_taken_back_and_added_to_at_once(process: Process) -> None:
    """By `create`, which the engine calls for a replacement that was taken back."""
    old = record("ab", "", at(0))
    process.saw(URN, SPACE, replace(old, fired=replace(old.fired, content=WANTED, token="of its fire", beside="x")))
    intent = Intent(at(9, here=True), WANTED, attempts=(at(9, here=True),))
    work = rules.decide(MANY.ask(intent), process.before(URN, intent.token), process)
    assert work.keep
    assert [(list(doubt.keys), list(doubt.moments)) for doubt in work.look] == [(["c"], [at(0), at(9, here=True)])]
    assert not work.fire


def test_a_record_that_tells_no_attempt(process: Process) -> None:
    bare = record("ab")
    bare = replace(bare, fired=replace(bare.fired, attempt=None))
    assert added(process, "abc", [at(3), at(4, here=True)], bare) == ("", [("c", "t3 t4")])


def test_what_was_sent_here_is_looked_for_when_it_is_asked_again(process: Process) -> None:
    attempts = [at(0), at(5, here=True)]
    own = record("ab", "c", at(0), at(2))
    sent = process.attempting(URN, "t5")
    assert added(process, "abcd", attempts, own) == ("", [("d", sent.token), ("c", f"t2 t5 {sent.token}")])
    process.refused(URN, "t5")
    assert added(process, "abcd", attempts, own) == ("d", [("c", "t2 t5")])


# -- what is left in doubt


def test_nothing_refused_leaves_no_doubt() -> None:
    assert rules.still_in_doubt(False, False, [Doubt("a", [at(0)])], at(8)) == ()


@pytest.mark.parametrize("look", [[], [Doubt("a", [at(0)])]])
def test_a_refusal_is_in_doubt_since_its_up_began(look: list[Doubt]) -> None:
    """The service may have started it all the same, and what came before was looked for."""
    assert rules.still_in_doubt(True, False, look, at(8)) == (at(8),)


def test_a_doubt_keeps_its_first_moment_for_ever() -> None:
    moments = [at(minute) for minute in range(50)]
    kept = rules.still_in_doubt(True, True, [Doubt("a", moments[25:]), Doubt("b", moments)], at(98))
    assert kept[0] == at(0)
    assert kept[-2:] == (at(49), at(98))
    assert len(kept) == ATTEMPTS


# -- attempts that are on no record


@pytest.mark.parametrize(
    ("attempts", "own", "expected"),
    [
        ([at(0)], record("a"), ""),
        ([at(0), at(5)], record("a"), "t5"),
        ([at(0), at(5), at(9, here=True)], record("a"), "t5"),
        ([at(3), at(9, here=True)], record("a"), "t3"),
        ([at(3)], None, "t3"),
        ([at(9, here=True)], None, ""),
    ],
)
def test_unsettled_attempts(process: Process, attempts: list[Moment], own: Recorded | None, expected: str) -> None:
    found = rules.unsettled(attempts, own.fired if own else None, process)
    assert " ".join(one.token for one in found) == expected


@pytest.mark.parametrize(
    ("attempts", "own", "deleted", "expected"),
    [
        ([at(9, here=True)], None, False, False),
        ([at(0)], record("a"), True, False),
        ([at(0), at(9, here=True)], record("a"), True, False),
        ([at(0), at(5)], record("a"), True, False),
        ([at(0), at(5), at(9, here=True)], record("a"), True, True),
        ([at(0), at(5), at(7)], record("a"), True, True),
        ([at(0), at(5), at(7)], told(record("a"), at(7)), True, False),
        ([at(0), at(5), at(7), at(9, here=True)], told(record("a"), at(7)), True, False),
        ([at(0), at(5), at(7), at(8)], told(record("a"), at(5)), True, True),
        ([at(0), at(5), at(7)], told(record("a"), at(5)), True, False),
        ([at(0), at(9, here=True)], None, False, True),
        ([at(0), at(9, here=True)], record("a"), False, True),
        ([at(0), at(9)], record("a"), False, True),
        ([at(0), at(9)], record("a", "", at(9)), False, False),
    ],
)
def test_whether_objects_were_changed_after_an_up_that_was_interrupted(
    process: Process, attempts: list[Moment], own: Recorded | None, deleted: bool, expected: bool
) -> None:
    """Its create, its update, or a replacement that was under way."""
    intent = Intent(at(0), WANTED, attempts=tuple(attempts))
    assert rules.gave_up(MANY.ask(intent), Before(own, deleted), process) is expected
    assert not rules.gave_up(MANY.ask(None), Before(own, deleted), process)


@pytest.mark.parametrize(
    ("objects", "attempts", "moments", "expected"),
    [
        ("abc", [at(0)], [at(0)], False),
        ("abc", [at(0)], [at(0), at(7)], False),
        ("abc", [at(0)], [at(0), at(0)], False),
        ("abc", [at(0), at(5)], [at(5)], False),
        ("abc", [at(0), at(5)], [at(0), at(5)], True),
        ("ab", [at(0)], [at(0)], True),
    ],
)
def test_whether_an_intent_that_is_given_up_was_for_other_objects(
    process: Process, objects: str, attempts: list[Moment], moments: list[Moment], expected: bool
) -> None:
    """Or may have been, if there was more than one list."""
    given_up = Intent(at(0), WANTED, objects=digest_of_objects(list(objects)), attempts=tuple(attempts))
    ask = MANY.ask(MANY.intent())
    assert rules.gave_up(ask, Before(None), process, Former(given_up, None, moments)) is expected


def test_of_an_intent_that_stays_its_attempts_tell(process: Process) -> None:
    """A forced replacement, of fewer objects than an `up` that was killed had."""
    intent = Intent(at(0), WANTED, attempts=(at(0), at(5), at(9, here=True)))
    former = Former(intent, None, [at(5)])
    assert rules.gave_up(MANY.ask(intent), Before(record("ab"), deleted=True), process, former)


# -- ignore_changes


@pytest.mark.parametrize(
    ("ignored", "name", "expected"),
    [
        ("*", "input", True),
        ("*", "triggers.build", True),
        ("*", "objects", True),
        ("input", "input", True),
        ("input", "inputs", False),
        ("input.prefix", "input", True),
        ("input[0]", "input", True),
        ('input["prefix"]', "input", True),
        ('["input"]', "input", True),
        ('["input"].prefix', "input", True),
        ("input.*", "input", True),
        ("in", "input", False),
        ("triggers", "triggers.build", True),
        ("triggers.build", "triggers.build", True),
        ("triggers.build", "triggers.day", False),
        ("triggers.build", "triggers.build2", False),
        ('triggers["build"]', "triggers.build", True),
        ('triggers["a.b"]', "triggers.a.b", True),
        ('triggers["a.b"]', "triggers.a", False),
        ("triggers.*", "triggers.build", True),
        ("triggers[*]", "triggers.build", True),
        ("triggers.build.part", "triggers.build", True),
        ("triggers", "trigger", False),
        ("workflow_id", "input", False),
    ],
)
def test_what_ignore_changes_covers(ignored: str, name: str, expected: bool) -> None:
    """A path into an argument covers it, since an argument is one value here; a trigger is covered by its key."""
    assert is_ignored(name, frozenset([ignored])) is expected
    assert is_ignored(name, frozenset([ignored, "nothing"])) is expected
    assert is_ignored(name, frozenset()) is False


@pytest.mark.parametrize(
    ("ignored", "asked"),
    [
        (["workflow_id"], OTHER_ARGUMENT),
        (["*"], OTHER_ARGUMENT),
        (["*"], OTHER_TRIGGER),
        (["triggers"], OTHER_TRIGGER),
        (["triggers.build"], OTHER_TRIGGER),
        (["triggers.day"], NEW_TRIGGER),
        (["input.prefix"], LESS),
    ],
)
@pytest.mark.parametrize("case", ["killed", "taken back", "deleted"])
def test_what_is_ignored_is_no_other_work(
    shape: Shape, process: Process, ignored: list[str], asked: Content, case: str
) -> None:
    """`create` gets it raw, for a run as for a fan-out."""
    intent, old = shape.intent(host="earlier"), shape.record(token="t" if case == "deleted" else "of its fire")
    if case == "taken back":
        process.saw(URN, SPACE, old)
        assert decided(shape, process, intent, asked, ignored) == shape.work("kept", old)
    elif case == "deleted":
        process.deleted("t", SPACE, old)
        assert decided(shape, process, intent, asked, ignored) == shape.work("fired", old)
    else:
        assert decided(shape, process, intent, asked, ignored) == shape.work("looked for", None, intent.moment)


# -- a new token


@pytest.mark.parametrize(
    ("wanted", "unknown", "expected"),
    [
        (WANTED, [], []),
        (OTHER_ARGUMENT, [], ["workflow_id"]),
        (OTHER_TRIGGER, [], ["triggers.build"]),
        (NEW_TRIGGER, [], ["triggers.day"]),
        (FEWER_TRIGGERS, [], []),
        (LESS, [], ["input"]),
        (LESS, ["input"], []),
        (Content({}, {}), ["input", "workflow_id"], []),
        (OTHER_ARGUMENT, ["input"], ["workflow_id"]),
    ],
)
def test_why_an_intent_needs_a_new_token(
    shape: Shape, wanted: Content, unknown: list[str], expected: list[str]
) -> None:
    assert rules.new_token(shape.intent(), wanted, unknown) == expected


# -- whether a new run is due


Made = Callable[[Shape], Intent | None]


def stale(shape: Shape) -> Intent:
    """That of the recorded run, as under `--target` of the run alone."""
    return shape.intent(host="earlier")


def beside(shape: Shape) -> Intent:
    """Left beside the run when a change was taken back: made for the run's own content."""
    return shape.intent(host="earlier", token="beside")


def fresh(shape: Shape) -> Intent:
    """Of this update; a transform of the stack may have changed the run after it."""
    return shape.intent(token="fresh")


def missing(shape: Shape) -> None:
    return None


@pytest.mark.parametrize(
    ("wanted", "unknown", "made", "expected"),
    [
        (WANTED, [], stale, Due()),
        (WANTED, [], fresh, Due()),
        (WANTED, [], missing, Due()),
        (FEWER_TRIGGERS, [], fresh, Due()),
        (OTHER_ARGUMENT, [], fresh, Due(["workflow_id"])),
        (OTHER_TRIGGER, [], fresh, Due(["triggers.build"])),
        (NEW_TRIGGER, [], fresh, Due(["triggers.day"])),
        (LESS, [], fresh, Due(["input"])),
        (OTHER_ARGUMENT, [], stale, Due((), ["workflow_id"])),
        (OTHER_ARGUMENT, [], beside, Due((), ["workflow_id"])),
        (OTHER_ARGUMENT, [], missing, Due((), ["workflow_id"])),
        (LESS, ["input"], fresh, Due()),
        (LESS, ["input"], stale, Due()),
    ],
)
def test_whether_a_new_run_is_due(
    shape: Shape, process: Process, wanted: Content, unknown: list[str], made: Made, expected: Due
) -> None:
    due = rules.due(shape.record(), wanted, unknown, made(shape), False, process)
    assert Due(list(due.replaces), list(due.unintended)) == Due(list(expected.replaces), list(expected.unintended))


def test_an_intent_of_an_earlier_update_that_was_made_for_the_change(shape: Shape, process: Process) -> None:
    """Its own `up` was killed, or the run was left out of it."""
    intent = shape.intent(OTHER_TRIGGER, "earlier", "of the change")
    assert rules.due(shape.record(), OTHER_TRIGGER, [], intent, False, process) == Due(["triggers.build"])
    both = Content(OTHER_ARGUMENT.arguments, OTHER_TRIGGER.triggers)
    assert rules.due(shape.record(), both, [], intent, False, process).unintended == ["workflow_id", "triggers.build"]


@pytest.mark.parametrize(
    ("wanted", "unknown", "expected"),
    [
        (WANTED, [], []),
        (OTHER_TRIGGER, [], ["triggers.build"]),
        (LESS, ["input"], ["input"]),
        (FEWER_TRIGGERS, ["triggers.build"], ["triggers.build"]),
        (OTHER_ARGUMENT, ["triggers.build", "input"], ["workflow_id", "input", "triggers.build"]),
    ],
)
def test_a_preview_over_estimates(
    shape: Shape, process: Process, wanted: Content, unknown: list[str], expected: list[str]
) -> None:
    assert rules.due(shape.record(), wanted, unknown, None, True, process) == Due(expected)


def test_a_run_knows_nothing_of_another_s_content() -> None:
    assert A.differences(B) == ["object"]
    assert Before(None) == (None, False)
