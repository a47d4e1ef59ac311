"""A plan that only lacks keys, as far as it is said: whoever reads what is missing is stopped, so nothing is concluded from it.

How it is made: each missing value is given a stand-in of the right form, the whole becomes a typed plan, and then the stand-ins are taken
out again. Reading one afterwards raises NotSaidError, which no default and no `getattr` swallows. So whatever somebody found before
being stopped was found from what is said alone, and stays true whatever is written later.
Never here: plans in which something else is wrong (a name that stands for nothing, a value of another kind): what those mean nobody knows.
"""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from holdfast.plan.model import Plan
from holdfast.plan.part import NotSaidError, Part
from holdfast.plan.places import value_at
from holdfast.plan.problems import Place
from holdfast.plan.wording import listed_words, place_of_error, told

_STAND_INS: tuple[Any, ...] = ("1h", 1, "a", "2000-01-01", "monthly", {}, [], ["a"], ["0s", "1h"], {"a": {}})
"""Values of every form that a plan's keys have, tried in this order."""
_MOST_ROUNDS = 40
"""Rounds of trying: a stand-in that is a mapping has missing keys of its own."""


@dataclass(frozen=True, slots=True)
class Hole:
    """A key that is missing: of which piece of the plan, and its place."""

    part: Part
    key: str
    place: Place


@dataclass(frozen=True, slots=True)
class Unfinished:
    """A plan with holes. In each section the entries with a hole come last, so that what is whole is reached first."""

    plan: Plan
    holes: tuple[Hole, ...]

    def place(self, error: NotSaidError) -> Place:
        """Which missing key stopped a reader."""
        return next((hole.place for hole in self.holes if hole.part is error.part and hole.key == error.key), (error.key,))


def unfinished(data: Any, completed: Callable[[Plan], Plan] = lambda plan: plan) -> Unfinished | None:
    """The plan that these values say so far; None where it lacks nothing, or more than missing keys keeps it from being one.

    `completed` adds to the plan what its files say elsewhere.
    """
    values = deepcopy(data)
    tried: dict[Place, int] = {}
    for _ in range(_MOST_ROUNDS):
        try:
            Plan.model_validate(values)
        except ValidationError as error:
            if not _stood_in(values, error, tried):
                return None
        else:
            outer = [place for place in tried if not any(place[:length] in tried for length in range(1, len(place)))]
            return _punched(completed(Plan.model_validate(_whole_first(values, outer))), outer, data) if outer else None
    return None


def _stood_in(values: Any, error: ValidationError, tried: dict[Place, int]) -> bool:
    """Give each missing key a stand-in, or its next one where the last didn't fit. False where something else is wrong."""
    for found in told(error.errors(include_url=False)):
        place = place_of_error(found, values)
        if found["type"] == "missing" and isinstance(found["loc"][-1], str):  # an item that a list lacks is a list of another form
            place = (*place, str(found["loc"][-1]))
            tried[place] = 0
            _write(values, place, deepcopy(_STAND_INS[0]))
            continue
        stood = next((place[:length] for length in range(len(place), 0, -1) if place[:length] in tried), None)
        if stood is None:
            return False
        if found["type"] == "literal_error":
            _write(values, place, listed_words(found["ctx"]["expected"])[0])
            continue
        tried[stood] += 1
        if tried[stood] == len(_STAND_INS):
            return False
        for inner in [one for one in tried if one[: len(stood)] == stood and one != stood]:
            del tried[inner]
        _write(values, stood, deepcopy(_STAND_INS[tried[stood]]))
    return True


def _write(values: Any, place: Place, value: Any) -> None:
    value_at(place[:-1], values)[place[-1]] = value


def _whole_first(values: dict[str, Any], holes: list[Place]) -> dict[str, Any]:
    """The order of a section's entries means nothing, and who is stopped by a hole has seen all that comes before it."""
    lacking = {place[:2] for place in holes if len(place) > 2}
    return {
        section: {name: entries[name] for name in sorted(entries, key=lambda name: (section, name) in lacking)}
        if isinstance(entries, dict)
        else entries
        for section, entries in values.items()
    }


def _punched(plan: Plan, places: list[Place], data: Any) -> Unfinished:
    holes = []
    for place in places:
        part: Any = plan
        for step in place[:-1]:
            part = getattr(part, part.field_named(str(step))) if isinstance(part, Part) else part[step]
        key = part.field_named(str(place[-1]))
        holes.append(Hole(part, key, place))
    holes += _following(plan, places, data)
    for hole in holes:
        del hole.part.__dict__[hole.key]
    return Unfinished(plan, tuple(holes))


def _following(plan: Plan, places: list[Place], data: Any) -> list[Hole]:
    """What a plan takes from another section where it doesn't say it itself, and that section is missing or lacks what decides it.

    The usual observers stand where the regions' roles say: of regions that nobody has named yet they would come from a stand-in.
    """
    if "observers" in data or ("observers",) in places:
        return []
    deciding = [place for place in places if place[0] == "regions" and place[2:] in ((), ("role",))]
    return [Hole(plan, "observers", place) for place in deciding[:1]]
