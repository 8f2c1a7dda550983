"""The breaches that there were: what each did, what is expected to find it, and within how many cases."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

PATCHES = Path(__file__).parent / "patches"


@dataclass(frozen=True)
class Breach:
    """`name` is that of its patch, which puts it back. `of`: the kind, in past.py. `was`: what happened."""

    name: str
    of: str
    was: str
    finder: str
    within: int

    @property
    def patch(self) -> Path:
        return PATCHES / f"{self.name}.patch"


BREACHES = (
    Breach(
        "ignored-by-the-run-alone",
        "1.2",
        "what a run had under `ignore_changes` gave its intent a new token: the run of a killed `up` was fired again",
        "tests/provider/test_ignored.py::test_an_ignored_trigger_changes_after_a_kill",
        8,
    ),
    Breach(
        "transforms-of-the-run-alone",
        "1.2",
        "options that a transform sets reached the run and not its intent, with the same end",
        "tests/unit/test_options.py::test_transforms_of_the_run_itself_are_applied_once_and_before_its_intent_is_made",
        4,
    ),
    Breach(
        "one-of-two-copies",
        "1.1",
        "a change beside an ignored one was refused and taken back: a fan-out, which had a copy of the "
        "rule, fired all again",
        "tests/provider/test_ignored.py::test_a_refused_change_beside_an_ignored_one_is_taken_back",
        4,
    ),
    Breach(
        "one-clock",
        "1.3",
        "when a run was fired was told by the kernel's clock alone, which stands still while a machine is "
        "paused: a killed run was older than its attempt, was not found, and was fired twice",
        "rules OneResource",
        200,
    ),
    Breach(
        "clock-to-the-second",
        "1.4",
        "a service's `Date` was believed to two seconds: beside one that is ahead of the times in its lists "
        "a killed run was not found, and was fired twice",
        "rules OneResource",
        200,
    ),
    Breach(
        "an-error-is-an-empty-list",
        "1.5",
        "an error inside an answer with status 200 was read as a list without rows: a killed run was fired twice",
        "tests/contract/test_every_client.py::test_what_is_not_surely_a_list_is_none",
        10,
    ),
    Breach(
        "a-leave-for-ever",
        "1.6",
        "the engine was asked, the process stopped, the engine killed, the run looked for and fired by the "
        "next `up`: and then the old process went on and fired it as well",
        "tests/unit/test_one_connection.py::test_a_start_whose_leave_is_too_old_is_not_sent",
        8,
    ),
    Breach(
        "a-leave-not-looked-at",
        "1.6",
        "the same, on a connection of the pool, whose bytes went without a look at the leave",
        "tests/unit/test_one_connection.py::test_a_start_whose_leave_is_too_old_is_not_sent",
        6,
    ),
    Breach(
        "head-and-body-apart",
        "1.6",
        "head and body of a start went one by one, and the process could be stopped between them",
        "tests/unit/test_one_connection.py::test_a_start_whose_leave_is_too_old_is_not_sent",
        6,
    ),
    Breach(
        "too-short-a-look",
        "1.7",
        "it was looked for less long than a start may take: a run that came to be after 25 s was fired twice",
        "rules OneResource",
        200,
    ),
    Breach(
        "a-refusal-is-certain",
        "1.8",
        "objects whose start was refused and had run all the same were fired again by the next `up`",
        "rules ManyObjects",
        400,
    ),
    Breach(
        "refused-when-it-ended",
        "1.8",
        "what was refused was looked for from the end of its `up` on, not from its beginning",
        "tests/provider/test_asked_again.py::test_a_refused_object_is_in_doubt_since_its_up_began",
        1,
    ),
    Breach(
        "a-start-is-repeated",
        "1.8",
        "a refused start that had run was sent again when an error hook asked once more",
        "rules OneResource",
        200,
    ),
    Breach(
        "interim-answers",
        "2.1",
        "after `102 Processing` the real answer was read as that of the next request: one object had another's id",
        "tests/unit/test_one_connection.py::test_an_interim_answer_is_not_taken_for_the_final_one",
        8,
    ),
    Breach(
        "a-late-answer-on-the-connection",
        "2.1",
        "a connection on which anything odd was seen was used again",
        "tests/unit/test_one_connection.py::test_an_interim_answer_is_not_taken_for_the_final_one",
        8,
    ),
    Breach(
        "an-answer-of-another-run",
        "2.2",
        "the id in an answer was not compared: a Completion told the success of another run",
        "tests/contract/test_every_client.py::test_the_id_in_an_answer_is_compared",
        20,
    ),
    Breach(
        "given-up-and-not-told",
        "2.3",
        "an interrupted `up` had started a run, its ask changed, and nobody was told of that run",
        "rules OneResource",
        200,
    ),
    Breach(
        "told-after-firing",
        "2.3",
        "what was given up was told after the new run was fired, and not at all if that one was refused",
        "tests/provider/test_lost_and_told.py::test_the_trigger_changes_again",
        10,
    ),
    Breach(
        "changed-by-a-killed-up-and-not-told",
        "2.3",
        "the objects of a fan-out changed after a killed `up`, and the `up` that changed them was killed too: nobody "
        "was told of runs of objects that are not in the list any more",
        "tests/provider/test_fan_out_kills.py"
        "::test_a_list_that_changes_after_a_kill_is_told_by_the_next_up_if_that_one_is_killed_too",
        3,
    ),
    Breach(
        "taken-back-by-a-killed-up-and-not-told",
        "2.3",
        "objects were added by an `up` that was killed, and taken out of the list of a fan-out on record by one that "
        "was killed too: nobody was told of their runs",
        "rules ManyObjects",
        400,
    ),
    Breach(
        "destroyed-and-not-told",
        "2.3",
        "a killed `up` had started a run, the resource went, and nobody was told",
        "tests/provider/test_lost_and_told.py::test_the_resource_goes",
        10,
    ),
    Breach(
        "twins-not-told",
        "2.4",
        "two resources had one run on record for ever, and nobody was told",
        "rules Twins",
        500,
    ),
    Breach(
        "an-id-on-record-is-believed",
        "2.5",
        "a start that was answered with the id of a run on record was told as fired",
        "tests/provider/test_twins.py::test_an_answer_with_the_id_of_another_resource",
        4,
    ),
    Breach(
        "a-dropped-id-is-believed",
        "2.5",
        "the same, with the id of a run whose resource the `up` deletes",
        "tests/provider/test_twins.py::test_an_answer_with_the_id_of_a_resource_that_the_program_drops",
        4,
    ),
    Breach(
        "twins-stop-for-ever",
        "2.6",
        "two fan-outs over the same objects were killed: each `up` stopped, and what it advised fired again",
        "tests/provider/test_twins.py::test_both_were_killed",
        8,
    ),
    Breach(
        "cancelled-and-taken",
        "2.7",
        "a run that was cancelled with its resource was recorded as if it was started when it was wanted again",
        "rules OneResource",
        500,
    ),
    Breach(
        "an-id-of-another-form",
        "2.8",
        "an id of another form was refused, told nowhere, and hindered every look at its workflow",
        "tests/contract/test_every_client.py::test_an_id_is_whatever_the_service_says",
        20,
    ),
    Breach(
        "a-list-without-end",
        "3.1",
        "a list that never ends was read for ever",
        "tests/contract/test_every_client.py::test_a_list_without_end_ends_with_the_limit",
        12,
    ),
    Breach(
        "ctrl-c-does-not-end-a-look",
        "3.1",
        "Ctrl-C did not end it",
        "tests/contract/test_every_client.py::test_giving_up_ends_a_look",
        12,
    ),
    Breach(
        "advice-that-does-nothing",
        "3.2",
        "a forced replacement of an old intent was killed: each `up` stopped with one candidate, and no advice helped",
        "tests/provider/test_replacements.py::test_killed_long_after_it_stops_and_each_way_out_works",
        30,
    ),
    Breach(
        "one-look-at-a-success",
        "3.3",
        "a batch job was told to have succeeded before its executions were listed, one of which failed",
        "tests/unit/test_tencent_get_many.py"
        "::test_a_job_that_has_just_ended_goes_on_until_its_executions_must_be_listed",
        6,
    ),
    Breach(
        "unknown-is-no-new-run",
        "3.4",
        "a preview showed an update where the `up` fired",
        "tests/provider/test_diff.py::test_a_preview_shows_the_replacement_that_an_unknown_value_may_come_to",
        6,
    ),
    Breach(
        "numbers-that-look-alike",
        "3.5",
        "of two large numbers in `triggers` the change of one into the other fired nothing",
        "tests/provider/test_check.py::test_a_trigger_that_pulumi_does_not_carry_or_keep",
        40,
    ),
    Breach(
        "advice-of-the-other",
        "3.6",
        "what a Completion advised spoke of a fan-out, which had succeeded, and not of the run that had failed",
        "tests/provider/test_completion.py::test_a_failed_run_is_told_with_what_to_do",
        1,
    ),
    Breach(
        "not-carried",
        "3.7",
        "a `datetime` in `triggers` ended in three tracebacks",
        "tests/unit/test_values.py::test_what_cannot_be_carried_is_marked_and_refused",
        10,
    ),
    Breach(
        "masked-by-exact-match",
        "3.8",
        "a secret that came back cut, percent-encoded or in base64 was told",
        "tests/unit/test_masking.py::test_what_is_told_and_what_is_shown",
        20,
    ),
    Breach(
        "masked-at-one-exit",
        "3.8",
        "a secret inside a run's `message` was told",
        "tests/contract/test_every_client.py::test_a_secret_that_is_told_again_is_masked_wherever_it_is_told",
        12,
    ),
    Breach(
        "one-cloud-for-all",
        "3.9",
        "regions in Europe were asked for under the domain of the others",
        "tests/unit/test_huawei_client.py::test_the_host_is_that_of_the_cloud_of_the_region",
        10,
    ),
    Breach(
        "a-host-that-stays",
        "3.10",
        "a host whose engine was killed stayed for ever",
        "tests/unit/test_interrupts.py::test_a_host_whose_engine_is_gone_ends_within_ten_seconds",
        1,
    ),
    Breach(
        "started-twice-and-not-told",
        "3.11",
        "a batch job that something on the way had started twice was not told",
        "tests/provider/test_told_or_found.py::test_a_refresh_tells_of_a_job_that_was_started_twice",
        1,
    ),
    Breach(
        "asked-again-fires-again",
        "3.15",
        "an error hook asked for another try after a lost answer: it fired again",
        "rules OneResource",
        200,
    ),
    Breach(
        "asked-again-too-soon",
        "3.15",
        "a fan-out whose start was refused and ran late was asked again by an error hook, after an earlier `up` was "
        "looked for: that time counted, and it fired again",
        "tests/promise/test_model.py::test_a_start_behind_a_refusal_is_waited_for_since_it_has_left",
        2,
    ),
    Breach(
        "a-fan-out-asked-again",
        "3.15",
        "a fan-out that was asked again in one process did not return what it had come to",
        "tests/provider/test_asked_again.py::test_what_it_came_to_is_told_again",
        10,
    ),
    Breach(
        "forced-amid-a-change",
        "4.1",
        "a forced replacement amid a change was killed, and the next `up` returned the old run for it",
        "rules OneResource",
        200,
    ),
    Breach(
        "a-marker-of-an-earlier-run",
        "4.2",
        "a forced replacement whose start never arrived took an earlier batch job of the same intent, which "
        "has the same generated name, for its own",
        "tests/promise/test_model.py::test_a_run_from_before_two_forced_replacements_is_not_taken_for_the_last",
        1,
    ),
    Breach(
        "the-first-with-our-marker",
        "4.2",
        "the first run seen with a marker that other starts share was taken, before the list showed the right one",
        "tests/promise/test_model.py::test_a_run_from_before_two_forced_replacements_is_not_taken_for_the_last",
        1,
    ),
    Breach(
        "another-region-fires-again",
        "4.3",
        "another region was configured after a kill: the run was not found there, and fired again",
        "tests/provider/test_told_or_found.py::test_what_ran_in_the_former_region_is_recorded_there",
        10,
    ),
    Breach(
        "adopted-and-not-told",
        "4.4",
        "what a killed `up` had started was not named when another run was recorded for it",
        "tests/provider/test_told_or_found.py::test_what_was_started_is_named_when_another_run_is_adopted",
        10,
    ),
    Breach(
        "called-lost",
        "4.5",
        "a run that was on record and was replaced was called lost after an `up` in which another resource failed",
        "tests/provider/test_told_or_found.py::test_a_replaced_run_was_not_lost",
        10,
    ),
    Breach(
        "a-trigger-of-the-run-alone",
        "4.6",
        "a changed `replacement_trigger` whose `up` was refused was taken for done by recording the old run once more",
        "tests/unit/test_options.py::test_nothing_can_make_the_intent_cause_a_run_or_stay_behind",
        1,
    ),
    Breach(
        "other-work-and-not-told",
        "4.7",
        "a run on record that does other work than was asked for was not told by a refresh",
        "tests/provider/test_told_or_found.py::test_a_refresh_tells_of_a_run_that_does_other_work",
        1,
    ),
    Breach(
        "a-command-of-several-words",
        "4.8",
        "the commands about `runs:adopt` that are printed were wrong for some names of resources",
        "tests/provider/test_told_or_found.py::test_the_command_for_a_name_is_one_word_of_a_shell",
        10,
    ),
    Breach(
        "ctrl-c-of-a-question",
        "4.9",
        "Ctrl-C did not end the questions of a refresh, an adoption or a cancel",
        "tests/provider/test_interrupted.py::test_a_refresh",
        6,
    ),
    Breach(
        "a-job-is-better-than-its-jobs",
        "4.10",
        "a batch job of type Job was told to have succeeded though a job of its own had failed",
        "tests/unit/test_tencent_get_many.py::test_a_job_of_type_job_is_no_better_than_its_jobs",
        6,
    ),
    Breach(
        "given-and-fired-anew",
        "4.11",
        "an `up` that was to record another run (`adopt_id`) ended after it had deleted the record: with `adopt_id` "
        "taken away the next one fired a new run, which nobody had asked for",
        "tests/provider/test_adopting.py::test_another_run_is_given_and_the_up_ends_before_it_is_on_record",
        9,
    ),
    Breach(
        "refused-taken-out-and-not-told",
        "4.12",
        "an object of a fan-out was refused and had run all the same; it left the list, and nobody was told",
        "tests/provider/test_lost_and_told.py::test_a_refused_object_that_ran_all_the_same_and_goes",
        3,
    ),
    Breach(
        "refused-destroyed-and-not-told",
        "4.12",
        "the same, and the fan-out was destroyed",
        "tests/provider/test_lost_and_told.py::test_a_refused_object_that_ran_all_the_same_and_goes",
        3,
    ),
    Breach(
        "another-kind-of-that-name",
        "4.13",
        "a resource of another kind got name and arguments of one whose `up` was killed: the run was on no record, and "
        "nobody was told",
        "tests/provider/test_lost_and_told.py::test_a_resource_of_another_kind_gets_its_name",
        2,
    ),
    Breach(
        "found-on-record-and-not-told",
        "4.14",
        "a run was found that a resource had on record which was not in the program any more: nobody was told that "
        "nothing new had run",
        "tests/provider/test_lost_and_told.py::test_a_run_of_a_resource_that_goes_is_taken_by_another",
        14,
    ),
    Breach(
        "forced-in-another-region",
        "4.3",
        "a replacement was forced under another region and killed, and the former region was configured again: the run "
        "was not found there, and fired again",
        "tests/provider/test_told_or_found.py::test_what_was_forced_in_another_region_is_recorded_there",
        14,
    ),
    Breach(
        "bounded-and-not-told",
        "4.15",
        "an object was fired again by an `up` that was killed; then `max_attempts` forbade it, and nobody was told",
        "tests/provider/test_fan_out_reruns.py::test_it_is_told_once_when_max_attempts_forbids_it",
        6,
    ),
    Breach(
        "given-and-cancelled",
        "4.16",
        'a run was given to another resource, and the one that had had it went: `on_delete="cancel"` cancelled it',
        "tests/provider/test_lost_and_told.py::test_what_is_given_to_another_resource_is_not_cancelled",
        3,
    ),
    Breach(
        "beside-the-replaced",
        "3.2",
        "a run of somebody else that began with the run that a forced replacement replaces was recorded as the new one",
        "tests/promise/test_looking.py::test_what_began_before_its_row_is_older_and_with_it_no_replacement",
        8,
    ),
    Breach(
        "a-project-told-anew",
        "4.3",
        "the project of a DWR run was asked for when it was fired and was on no record: the next `up` after a kill, "
        "told another one, fired it again",
        "tests/provider/test_dwr_project.py::"
        "test_a_run_that_was_lost_in_the_project_that_iam_told_is_found_there_when_iam_tells_another",
        4,
    ),
    Breach(
        "asked-to-go-on-blindly",
        "4.17",
        "a run that failed was asked to go on without a look at it first: one that an earlier `up` had asked before it "
        "was killed was asked again while it went on",
        "histories huawei.workflow",
        60,
    ),
    Breach(
        "a-failure-that-is-none",
        "4.19",
        "a run went on and failed again a while before it was looked at: with our clock's time of that look on record, "
        "each later look took the failure for the first one, and said for ever that the run is pending",
        "tests/provider/test_resuming.py::test_a_second_failure_stays_one_however_late_it_is_seen",
        8,
    ),
    Breach(
        "ids-of-one-flow",
        "2.5",
        "a start of EnOS was answered with the id of a run of another flow, whose resource went: nobody was told, and "
        "the run was cancelled",
        "tests/provider/test_twins.py::test_nor_with_the_id_of_a_run_of_another_flow_which_is_not_cancelled_then",
        2,
    ),
    Breach(
        "fired-beside-after-a-kill",
        "4.18",
        "an `up` was killed while it waited for the end of the recorded run (`if_running`): the next one fired beside "
        "it",
        "tests/provider/test_overlap.py::test_after_a_kill_while_it_was_waited_for_it_is_not_fired_beside",
        12,
    ),
    Breach(
        "lost-told-and-taken",
        "4.20",
        "two runs were lost, one of them was given, and a warning said that the other is on no record after that: a "
        "forced replacement that was killed took it, and fired nothing (found by strikes)",
        "tests/provider/test_adopting.py::test_what_another_run_was_given_for_is_none_of_a_later_request",
        7,
    ),
    Breach(
        "given-once-and-again",
        "4.20",
        "a `runs:adopt` of long ago took the place of an object of a fan-out that was refused: nothing fired",
        "tests/provider/test_adopting.py::test_a_setting_of_long_ago_and_an_object_that_was_refused",
        4,
    ),
    Breach(
        "replaced-under-another-urn",
        "4.21",
        "a `replacement_trigger` changed with an alias, a move or a renamed stack: `if_running` and the history did "
        "not know the run that went on, and another one was fired beside it",
        "tests/promise/test_process.py::test_the_record_before_of_such_a_replacement_under_another_urn",
        3,
    ),
)
