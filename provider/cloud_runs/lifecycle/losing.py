"""What a fan-out tells of runs that may have been started for it and that will be on no record: before it fires."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from cloud_runs.lifecycle import strays
from cloud_runs.lifecycle.base import KindProvider
from cloud_runs.promise import reruns
from cloud_runs.promise.records import Former, Moment, Recorded
from cloud_runs.promise.reruns import Again
from cloud_runs.promise.rules import Ask


class LosingProvider(KindProvider):
    """Of a fan-out."""

    def tell_refused(self, ask: Ask, old: Recorded, refused: Collection[str]) -> None:
        """A refusal is what the service says: what it has started of these objects all the same is looked for no more
        from now on."""
        if refused and old.fired.doubt:
            self._tell_lost(ask, old, refused, old.fired.doubt)

    def tell_left_behind(self, ask: Ask, old: Recorded, again: Again) -> None:
        """The same of what may have been fired again after it had failed, and is not asked for any more."""
        for moments, objects in reruns.left_behind(old, again, self.process).items():
            self._tell_lost(ask, old, objects, moments)

    def _tell_lost(self, ask: Ask, old: Recorded, objects: Collection[str], moments: Sequence[Moment]) -> None:
        if ask.intent:
            arguments = {name: old.outputs[name] for name in self.kind.shared if name in old.outputs}
            strays.tell(Former(ask.intent, arguments, moments), objects, self.settings, self.world(ask.urn))
