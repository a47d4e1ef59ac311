"""Who calls whom: the phone tree, the order of escalation, and who hears what, in words drawn from the plan."""

from holdfast.document.exact.cells import Cell, Run, said
from holdfast.document.writing.blocks import Block, Bullets, Column, Heading, Paragraph, Table
from holdfast.plan.model import Message, Person, Plan
from holdfast.plan.values import spoken_duration


def phone_tree(plan: Plan) -> list[Block]:
    """Each role with the people who are called for it, in order, with numbers to dial."""
    if not plan.roles:
        return []
    rows = []
    for role in plan.roles.values():
        called = [f"whoever is on call in {plan.rotations[role.rotation].name}"] if role.rotation in plan.rotations else []
        called += [_reached(plan.people[who]) for who in (role.primary, role.backup) if who is not None and who in plan.people]
        rows.append((said("☐"), said(role.name), Cell(tuple(Run(f"{number}. {text}") for number, text in enumerate(called, 1)), "break")))
    told = "Call from the top; when nobody answers, call the next. Tick who was reached, and write down when."
    columns = (Column("☐"), Column("Role"), Column("Call, in this order"))
    return [Heading(3, "Phone tree"), Paragraph(told), Table(columns, tuple(rows)), *_others(plan)]


def _others(plan: Plan) -> list[Block]:
    """Whom the plan calls or tells besides: those on call, people of its audiences who fill no role, suppliers."""
    in_roles = {who for role in plan.roles.values() for who in (role.primary, role.backup)}
    rows: list[tuple[str, str]] = []
    for rotation in plan.rotations.values():
        turns = [_reached(plan.people[who]) for who in rotation.people if who in plan.people]
        rows.append((f"{rotation.name}, in turn", "; ".join(turns)))
    seen = {*in_roles, *(who for rotation in plan.rotations.values() for who in rotation.people)}
    for audience in plan.audiences.values():
        fresh = [who for who in audience.people if who in plan.people and who not in seen]
        seen.update(fresh)
        rows += [(audience.name, _reached(plan.people[who])) for who in fresh]
    for vendor in plan.vendors.values():
        ways = [way for way in (vendor.contact, vendor.phone, vendor.email, vendor.hours) if way]
        rows.append((f"{vendor.name}{f' ({vendor.supplies})' if vendor.supplies else ''}", ", ".join(ways) or "no number in the plan"))
    if not rows:
        return []
    columns = (Column("☐"), Column("Who"), Column("Reached by"))
    return [Heading(3, "Others to call"), Table(columns, tuple((said("☐"), said(who), said(how)) for who, how in rows))]


def call_order(plan: Plan) -> list[Block]:
    """What happens when nobody answers, severity by severity."""
    items = []
    for severity, rule in plan.escalation.items():
        who = ", ".join(_audience(plan, name) for name in rule.audience) or rule.level
        wait = spoken_duration(rule.answer_within)
        items.append(f"{severity}: call over {', '.join(rule.channels)}; without an answer in {wait}, call {who}")
    return [Heading(3, "When nobody answers"), Bullets(tuple(items), "☐")] if items else []


def who_hears_what(plan: Plan) -> list[Block]:
    """The rules of messages, each as a sentence to tick."""
    if not plan.messages:
        return []
    items = [
        f"{_deadline(message)}: tell {_hearers(plan, message)} over {', '.join(message.channels)} ({name})"
        for name, message in sorted(plan.messages.items(), key=lambda pair: (pair[1].counts_from == "restored", pair[1].due))
    ]
    return [Heading(3, "The order of messages"), Bullets(tuple(items), "☐")]


def _deadline(message: Message) -> str:
    since = "after service is back" if message.counts_from == "restored" else "after the start"
    again = f", then every {spoken_duration(message.every)}" if message.every is not None else ""
    only = f" if it lasts longer than {spoken_duration(message.lasting)}" if message.lasting else ""
    return f"within {spoken_duration(message.due)} {since}{again}{only}"


def _hearers(plan: Plan, message: Message) -> str:
    return ", ".join(_audience(plan, name) for name in message.audience)


def _audience(plan: Plan, name: str) -> str:
    found = plan.roles.get(name) or plan.audiences.get(name)
    return found.name if found is not None else name


def _reached(person: Person) -> str:
    ways = [way for way in (person.phone, person.email) if way]
    return f"{person.name}, {person.title}: {', '.join(ways) if ways else 'no number in the plan'}"
