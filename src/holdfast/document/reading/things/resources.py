"""Technical things and their kinds, by the words for them: what functions only stand on, and which tables list such things. Pure."""

from dataclasses import replace

from holdfast.document.reading.columns import Words, cell, columns
from holdfast.document.reading.quantities import Reading
from holdfast.document.reading.things.promise_names import MTPD, RPO, RTO
from holdfast.document.reading.tree import Section, Table, says
from holdfast.plan.problems import shortened

KINDS = (
    ("dns", ("dns", "name server*", "domain")),
    ("loadbalancer", ("load balancer*", "loadbalancer*", "reverse proxy", "ingress")),
    ("redis", ("redis", "cache*", "memcached")),
    ("bucket", ("bucket*", "object storage", "s3", "blob*", "file storage", "storage", "files", "documents", "file server", "nas")),
    ("postgres", ("postgres*", "database*", "sql", "db", "replica", "rds", "aurora")),
    ("application", ("application*", "app", "cluster*", "kubernetes", "web*", "server*", "service*", "api")),
    ("network", ("network*", "connectivity", "vpn", "wan", "internet")),
)
_SAID = {
    "dns": ("dns",),
    "loadbalancer": ("load balancer*", "loadbalancer*"),
    "redis": ("redis",),
    "bucket": ("bucket*", "object storage", "s3", "blob*"),
    "postgres": ("postgres*",),
    "application": ("application*", "app"),
    "network": ("network*",),
}
"""Words that say a kind itself; from the others it is concluded."""
_OTHER_MAKES = (
    "oracle",
    "azure sql",
    "mysql*",
    "mariadb",
    "sql server",
    "mssql",
    "db2",
    "mongo*",
    "cassandra",
    "sybase",
    "informix",
    "sqlite",
    "dynamodb",
)
"""Databases that none of the kinds is, though words beside them say `database`."""
_CLEAR = (
    *(
        "postgres*",
        "database*",
        "sql",
        "db",
        "rds",
        "aurora",
        "mysql*",
        "mariadb",
        "mssql",
        "db2",
        "mongodb",
        "redis",
        "cache*",
        "memcached",
    ),
    *("bucket*", "object storage", "s3", "blob*", "file server*", "nas", "dns", "name server*"),
    *("load balancer*", "loadbalancer*", "reverse proxy", "ingress"),
)
"""Words that nobody has for what a business does: those of data kinds, and the like."""
_PROGRAM = ("application*", "app", "apps", "web*", "saas")
"""Words for what people work with, which may stand on something that has a clear word: `web app on PostgreSQL`."""
_RESOURCE = ("component*", "resource*", "asset*", "hardware", "software", "server*", "equipment")
_SYSTEM = ("system*", "application*")
_PERHAPS = (*_SYSTEM, "service*")
"""What a column is called that may list technical things as well as functions: another column that says of which kind each is decides."""
_OF_SYSTEMS = ("systems", "it systems", "technology")
"""Headings of lists of technical things, whatever the head of the column of their names."""
FUNCTION = ("function*", "process*", "activit*", "mission*", "capabilit*")
"""What a column is called that names what a business does, and nothing technical."""
_SUPPORTED = ("support*", "used by", "needed by", "required by", "serves")
"""Columns that say what stands on a technical thing, and don't name the table's things."""
_OF_FUNCTIONS = ("priority", "criticality", "tier", "impact*", "consequence*", *MTPD, "workaround*")
"""Columns that only functions have."""
_PLACES: Words = {
    "rto": RTO,
    "rpo": RPO,
    "kind": ("type", "kind", "technology", "platform", "product"),
    "name": (*_RESOURCE, *_PERHAPS),
}
"""Columns of a table of technical things."""


def kind_of(name: str) -> str | None:
    """The kind of component that words name; None where they name none."""
    return next((kind for kind, words in KINDS if says(name, *words)), None)


def kind_said(technology: str, name: str) -> Reading:
    """The kind of a component, by its technology where that is said, else by its name; unclear where the words name none, or more than one."""
    by_name = kind_of(name)
    unclear = Reading(unclear="its words name no kind of component", choices=tuple(kind for kind, _ in KINDS))
    if not technology:
        return unclear if by_name is None else Reading(by_name)
    kind, words = kind_of(technology), shortened(technology, 40)
    if kind is None and by_name is not None and not says(name, *_CLEAR):
        return Reading(by_name, concluded=f"'{words}' names no kind, and the name says this one")
    if says(technology, *_OTHER_MAKES):
        return replace(unclear, unclear="it is of another make than the databases that a plan knows")
    if kind is None:
        return unclear
    if says(technology, *_PROGRAM) and kind != "application":
        return Reading(unclear="its words name two kinds of component", choices=(kind, "application"))
    return Reading(kind, concluded="" if says(technology, *_SAID[kind]) else f"'{words}' is taken for this kind")


def resource_places(table: Table, section: Section) -> dict[str, int] | None:
    """The columns of a table of technical things (`System Resource/Component`, or systems whose technology its rows name).

    `name`, and as far as there are such: `kind`, `rto`, `rpo`. None for a table of functions or of anything else: who reads those asks here too,
    so that a table is taken by one reader.
    """
    of_systems = section.says(*_OF_SYSTEMS) and not section.says(*FUNCTION)
    places = columns(table, {**_PLACES, "name": (*_PLACES["name"], "name")} if of_systems else _PLACES)
    if "name" not in places:
        return None
    head = table.headers[places["name"]]
    others = (other for at, other in enumerate(table.headers) if at != places["name"] and not says(other, *_SUPPORTED))
    if says(head, *FUNCTION, "business*") or any(says(other, *FUNCTION, "service*") for other in others):
        return None
    if says(head, *_RESOURCE):
        return places
    if any(says(other, *_OF_FUNCTIONS) for other in table.headers):
        return None
    clear = [_is_clear(cell(row, places, "kind")) for row in table.rows]
    return places if any(clear) and (all(clear) or of_systems or says(head, *_SYSTEM)) else None


def _is_clear(technology: str) -> bool:
    """Whether words name a data kind, or the like, and nothing that people work with."""
    return says(technology, *_CLEAR) and not says(technology, *_PROGRAM)
