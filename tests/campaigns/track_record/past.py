"""What there was, by kind, with a number each: all of it is put back by a breach of the table, or cannot be."""

from __future__ import annotations

PAST = {
    # fired twice
    "1.1": "one rule in two copies, one of them tested",
    "1.2": "an option that reaches the run and not its intent",
    "1.3": "a time that must not hide a run, taken from one source",
    "1.4": "the same, and believed to the second",
    "1.5": "a part of an answer that is missing reads as none",
    "1.6": "check and act are apart",
    "1.7": "looking takes less time than a start may take",
    "1.8": "a refusal believed for certain",
    # an id lost, or a wrong one recorded, without a word
    "2.1": "an answer is taken for that of another request",
    "2.2": "the same, by those who wait",
    "2.3": "what is given up is told on one path of many",
    "2.4": "what is on record is known from diffs alone that have happened",
    "2.5": "an id is believed without comparing",
    "2.6": "a stop without a way out",
    "2.7": "the intent outlives the run",
    "2.8": "an opaque id is judged by its form",
    # limits and texts that were not true
    "3.1": "a limit that is looked at only between steps that have larger ones",
    "3.2": "nearness is measured from the intent, not from the attempt",
    "3.3": "one look where two are needed",
    "3.4": "unknown reads as no new run in a preview",
    "3.5": "a check that one argument has and another lacks",
    "3.6": "advice that is not derived from the case",
    "3.7": "values that Pulumi cannot carry",
    "3.8": "secrets masked at one exit, by exact match",
    "3.9": "a vendor's domain taken for a constant",
    "3.10": "nobody ends what nobody needs",
    "3.11": "a middlebox that sends each start twice",
    "3.12": "the disk is full between a start and its record",
    "3.13": "a generic import name",
    "3.14": "a page says that secrets are encrypted which are not",
    "3.15": "a path of the engine that was tested for fan-outs alone",
    "3.16": "a backend that was never tried",
    # older ones, and those of the changelog
    "4.1": "a forced replacement amid a change that was taken back",
    "4.2": "an earlier run of the same intent has the same marker",
    "4.3": "another region or organization in the configuration after a kill",
    "4.4": "what was started is not named when another run is adopted",
    "4.5": "a run that was replaced is called lost",
    "4.6": "a replacement_trigger that was refused is taken for done",
    "4.7": "a run that does other work than was asked for",
    "4.8": "a command that is wrong for some names",
    "4.9": "Ctrl-C does not end a question",
    "4.10": "a batch job is told to be better than its jobs",
    "4.11": "what is on record goes before what takes its place is there, though nothing is fired",
    "4.12": "what was refused and goes is forgotten, though a refusal is not believed for certain",
    "4.13": "an intent is told by its name, and not by the kind of its run",
    "4.14": "what a resource has on record that is not in the program is known when it is deleted, and not before",
    "4.15": "what a bound forbids to fire again is not looked for",
    "4.16": "a run is cancelled with a record of it, and not with the last one",
    "4.17": "a run is asked to go on without a look at it first (this never was)",
    "4.18": "what is asked of the old run is not asked any more when its record is deleted",
    "4.19": "a time of our clock is compared with one of the service",
    "4.20": "what was said to be on no record after that, or was given once, is taken for a new run later",
    "4.21": "a replacement that no diff shows is of a resource with another URN",
}

NOT_PUT_BACK = {
    "3.12": "Pulumi leaves the empty state file; the package has no code that could fail or mend it. The way out is a "
    "paragraph of docs/reliability.md",
    "3.13": "the package has a name of its own, and the modules of the old name are gone: no few lines bring them "
    "back. tests/engine/test_own_names.py has a program with such modules",
    "3.14": "what is in plain text is said by the README since; the package does what it did",
    "3.16": "Pulumi Cloud was not tried, by us or before: docs/reliability.md says so, and there is no code to break",
}
