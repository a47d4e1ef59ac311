"""What the promises are called: the words for an RTO, an RPO and an MTPD, wherever a document names one. Pure."""

_BORNE = [
    "unavailability",
    *(
        f"{what}{end}"
        for what in (
            "downtime",
            "outage",
            "period",
            "time",
            "disruption",
            "interruption",
            "delay",
            "length",
            "duration",
            "stoppage",
            "absence",
        )
        for end in ("s", "")
    ),
]
"""What can be borne only so long; a loss of data is another promise."""
NAMES = {
    "rto": ("rto", "recovery time objective", "recovery time"),
    "rpo": ("rpo", "recovery point objective", "recovery point"),
    "mtpd": (
        "mtpd",
        "mtd",
        "mao",
        *(f"{most} {borne} {what}" for most in ("maximum", "max") for borne in ("tolerable", "allowable", "acceptable") for what in _BORNE),
    ),
}
"""What each is called, in sentences and at the head of a column; what begins with a shorter name stands before it."""
RTO = (*NAMES["rto"], "recovery time*", "target recovery", "restore within", "time to recover", "back within", "recovery target")
RPO = (*NAMES["rpo"], "recovery point*", "data loss", "point objective")
MTPD = (*NAMES["mtpd"], "tolerable downtime", "max downtime", "tolerable hours", "tolerable days", "allowable hours", "acceptable hours")
"""What the head of a column or a label calls each, which says less than a sentence does."""
_BRANCHES = {key: "|".join(name.replace(" ", "[ -]") for name in names) for key, names in NAMES.items()}
PATTERNS = _BRANCHES | {"mtpd": rf"(?:{_BRANCHES['mtpd']})(?: of (?:{'|'.join(_BORNE)})\b)?"}
"""The same as parts of a pattern."""
