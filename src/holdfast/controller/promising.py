"""The controller's own promise, brought in line with the journal: a dead controller's decisions bind the next one.

From the record that opens an epoch on, nothing is promised. The epoch is taken up when its first promotion is ordered, not before: until
then it can still be withdrawn. An abort bars it at once; only when the target knows that it is never opened is anything promised again.
"""

from holdfast.conduct.runs import TURN_BACK, current_run, promotion_ordered
from holdfast.decision.replay import Installation
from holdfast.fencing.order import Order
from holdfast.ports.consent import Consent


def keep_promises(consent: Consent, known: Installation) -> None:
    """Tell the grantor what the journal says. Raises JournalFull when it can't be made durable."""
    incident = known.open_incident()
    run = current_run(incident) if incident is not None else None
    if incident is None or run is None or run not in incident.epochs:
        consent.serve(known.era, known.epoch, known.serving)
        return
    order = Order(*incident.epochs[run], known.term, 0)
    if run == TURN_BACK and incident.withdraws is not None:
        consent.bar(order)
    elif run == TURN_BACK:
        consent.withdraw(order)
        consent.serve(known.era, known.epoch, known.serving)
    elif promotion_ordered(incident, run):
        consent.serve(known.era, known.epoch, known.serving)
    else:
        consent.prepare(order)
