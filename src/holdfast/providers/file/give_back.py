"""Chosen entries of an incident's export, given back to the stores of the region that serves.

Rules: the whole wish is looked at before anything is written. A name that the export does not have, or has twice, an entry that the writer
had otherwise, an object, a conflict: where there is one of these nothing is given back, or, if the person said so, all but that one. Every
store then takes its part whole or not at all. Never here: how a store looks and takes.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from holdfast.ports.divergence import GivenBack, StoreGiver, Wish
from holdfast.providers.file.divergence import directory_of, entries, read
from holdfast.report.divergence import Entry

Ask = Callable[[Sequence[Mapping[str, Any]], Sequence[str], str, tuple[int, int]], list[GivenBack]]
_WITHHELD = "it could be taken, but others of the same wish could not"


class ExportGiver:
    """Implements `Giver`. `stores`: kind of component → what takes its entries."""

    def __init__(self, root: Path, stores: Mapping[str, StoreGiver]) -> None:
        self._root = root
        self._stores = stores

    async def give_back(self, wish: Wish) -> Mapping[str, GivenBack]:
        """One answer a name. Names may begin with `COMPONENT:` where two components have the same identifier."""
        return await asyncio.to_thread(self._given_back, wish)

    def _given_back(self, wish: Wish) -> dict[str, GivenBack]:
        try:
            found = self._found(wish)
        except (OSError, ValueError) as error:
            return dict.fromkeys(wish.only, GivenBack("refused", f"the export can't be read: {error}"))
        answers: dict[str, GivenBack] = {}
        chosen: dict[str, Entry] = {}
        for name in wish.only:
            objection = self._objection(name, found[name], wish)
            if objection is None and found[name][0] in chosen.values():
                objection = GivenBack("refused", "it is named twice in the same wish")
            if objection is None:
                chosen[name] = found[name][0]
            else:
                answers[name] = objection
        for kind, mine in _by_kind(chosen).items():
            answers |= _asked(self._stores[kind].look, mine, wish)
        if wish.objections == "stop" and not all(answer.fine for answer in answers.values()):
            return {name: GivenBack("withheld", _WITHHELD) if answer.result == "applied" else answer for name, answer in answers.items()}
        takeable = {name: entry for name, entry in chosen.items() if answers[name].fine}
        for kind, mine in _by_kind(takeable).items():
            answers |= _asked(self._stores[kind].give, mine, wish)
        return answers

    def _found(self, wish: Wish) -> dict[str, list[Entry]]:
        """Name → the entries that it may mean."""
        directory = directory_of(self._root, wish.incident, wish.run)
        divergence = read(directory)
        if (divergence.incident, divergence.run) != (wish.incident, wish.run):
            raise ValueError(f"{directory} holds the export of {divergence.incident}, run {divergence.run}")
        found: dict[str, list[Entry]] = {name: [] for name in wish.only}
        for entry in entries(divergence, directory):
            for name in (entry.identifier, f"{entry.component}:{entry.identifier}"):
                if name in found:
                    found[name].append(entry)
        return found

    def _objection(self, name: str, meant: list[Entry], wish: Wish) -> GivenBack | None:
        """What the export alone says against giving this back, or None."""
        if not meant:
            return GivenBack(
                "refused", f"it is not in the export of {wish.incident}; `holdfast divergence {wish.incident} --entries` lists it"
            )
        if len(meant) > 1:
            components = sorted({entry.component for entry in meant})
            ways = " or ".join(f"{component}:{name}" for component in components)
            return GivenBack("refused", f"two have this name: say {ways}" if len(components) > 1 else "two have this name: judge by hand")
        (entry,) = meant
        if entry.kind not in self._stores:
            return GivenBack("refused", "objects are brought together by bucket.reconcile, which keeps what it supersedes")
        if entry.change == "differs":
            return GivenBack("conflict", "the writer had its own under this key when it was exported: judge by hand")
        if entry.change == "deleted-here":
            return GivenBack("refused", "it was deleted there, and a deletion is never carried over: judge by hand")
        return None


def _by_kind(chosen: Mapping[str, Entry]) -> dict[str, dict[str, Entry]]:
    kinds: dict[str, dict[str, Entry]] = {}
    for name, entry in chosen.items():
        kinds.setdefault(entry.kind, {})[name] = entry
    return kinds


def _asked(ask: Ask, chosen: Mapping[str, Entry], wish: Wish) -> dict[str, GivenBack]:
    entries = list(chosen.values())
    answers = ask([entry.value for entry in entries], [entry.line for entry in entries], wish.region, wish.epoch)
    return dict(zip(chosen, answers, strict=True))
