"""Technical things and their kinds, by the words for them: what functions only stand on, and which tables list such things. Pure."""

from collections.abc import Mapping

from holdfast.document.reading.columns import Words, cell
from holdfast.document.reading.tree import Table, says

KINDS = (
    ("dns", ("dns", "name server*", "domain")),
    ("loadbalancer", ("load balancer*", "loadbalancer*", "reverse proxy", "ingress")),
    ("redis", ("redis", "cache*", "memcached")),
    ("bucket", ("bucket*", "object storage", "s3", "blob*", "file storage", "storage", "files", "documents", "file server", "nas")),
    ("postgres", ("postgres*", "database*", "sql", "db", "replica", "rds", "aurora")),
    ("application", ("application*", "app", "cluster*", "kubernetes", "web*", "server*", "service*", "api")),
    ("network", ("network*", "connectivity", "vpn", "wan", "internet")),
)
_RESOURCE = ("component*", "resource*", "asset*", "hardware", "software", "server*", "equipment")
_PERHAPS = ("system*", "service*", "application*")
"""What a column is called that may list technical things as well as functions: another column that says of which kind each is decides."""
_OF_FUNCTIONS = ("priority", "criticality", "tier", "impact*", "consequence*", "mtpd", "mtd", "mao", "workaround*")
"""Columns that only functions have."""
PLACES: Words = {
    "kind": ("type", "kind", "technology", "platform", "product"),
    "name": (*_RESOURCE, *_PERHAPS),
}
"""Columns of a table of technical things."""


def kind_of(name: str) -> str | None:
    """The kind of component that words name; None where they name none."""
    return next((kind for kind, words in KINDS if says(name, *words)), None)


def lists_resources(table: Table, places: Mapping[str, int]) -> bool:
    """Whether a table lists technical things (`System Resource/Component`, or systems whose technology each row names). `places`: with `name`."""
    head = table.headers[places["name"]]
    if says(head, "function*", "process*", "activit*", "mission*", "capabilit*"):
        return False
    return says(head, *_RESOURCE) or (says(head, *_PERHAPS) and _says_kinds(table, places))


def _says_kinds(table: Table, places: Mapping[str, int]) -> bool:
    """Whether each row that fills the column for kinds names one there, and any names another than an application, which a function may be called too."""
    if any(says(head, *_OF_FUNCTIONS) for head in table.headers):
        return False
    said = {kind_of(text) for row in table.rows if (text := cell(row, places, "kind"))}
    return None not in said and bool(said - {"application"})
