"""The kinds of journal records, version 1, and what stands in their bodies.

Later versions only add kinds and fields. All `*_seconds` that name a moment are wall-clock seconds since 1970.
"""

from enum import StrEnum


class Kind(StrEnum):
    """What a record says. The comment names the fields of its body."""

    CONTROLLER_STARTED = "controller.started"  # term, version, plan_digest, profile, environment, exercise, resumed (bool), era, epoch, serving, used [era, epoch], installation
    PLAN_LOADED = "plan.loaded"  # name, version, digest
    OBSERVERS_SEEN = "observers.seen"  # heard [site], silent [site]
    SUSPICION_RAISED = "suspicion.raised"  # region, trigger, reason, since_seconds, score (0-100 or null)
    SUSPICION_CLEARED = "suspicion.cleared"  # region, trigger, reason
    ALERT_HEARD = "alert.heard"  # signal, status (firing | resolved), source, fingerprint, says, count (null), at_seconds, scenario, truncated (alerts that the sender says it left out; without it 0): what somebody outside has seen; it executes nothing
    ALERT_CONFIRMED = "alert.confirmed"  # by, trigger: a person says that what an alert opened is so; its steps may begin
    ACCESS_BROKEN = "access.broken-glass"  # by, with, because, sign_on (what single sign-on said), until_seconds: two people signed in without single sign-on
    ZONE_CHANGED = "zone.changed"  # region, zone, health (down | up | degraded), since_seconds, reason, instances {function: ready here}, left {function: ready in the region's other zones}, sizes {function: {run, needed}}, components_down [id]
    INCIDENT_OPENED = "incident.opened"  # scenario, kind (exercise|incident), exercise (id or null), source, target, mode, impact_seconds, trigger, reason, requester (person, or holdfast), foreseen (digest of a file of `holdfast plan`, or null), scale (plan seconds a second; 1 without it)
    TRANSITION = "incident.transition"  # from, to, event, reason
    SEVERITY_CHANGED = "severity.changed"  # severity, functions [id], reason
    FUNCTIONS_SEEN = "functions.seen"  # hit {function: since_seconds}, back {function: at_seconds}: what observers saw change for clients; of an ended incident only who is back
    ROLES_ACTIVATED = "roles.activated"  # roles {role: person}
    IMPACT_ASSESSED = "impact.assessed"  # functions {id: since_seconds}, cost_usd, tier
    PROPOSED = "proposal.made"  # proposal, run, step, action (failover|switchover), source, target, mode, era, epoch, loss_bound_seconds (null: unknown), estimated_writes (null), above_rpo, expires_seconds, hash, count, roles [role], requester, scenario, moves_writers (bool)
    APPROVED = "approval.given"  # proposal, hash, person, role, accepts_loss (bool), through (cli | page | link | chat | phone | sms): the way by which it came
    APPROVAL_REFUSED = "approval.refused"  # proposal, person, reason
    PROPOSAL_VOID = "proposal.void"  # proposal, reason (expired | changed)
    DECIDED = "decision.made"  # proposal, run, action, mode, reason, loss_bound_seconds, estimated_writes, approvers [person], plan_digest
    EPOCH_OPENED = "epoch.opened"  # run, era, epoch, source, target
    RUN_NUMBERED = "run.numbered"  # run, era, epoch, source, target: of a run that moves no writer; its orders carry this number and the epoch in force stays
    FENCE_CONFIRMED = "fence.confirmed"  # run, region, how (acknowledged | lease-ran-out | attested), at_seconds, detail, last_heartbeat_seconds (null), skew_seconds, position {}, loss_bound_seconds (null: unknown; what the promotion loses at most, as known when the fence stood), fenced_at_seconds (null: not known; the region's own word, by its own clock)
    ATTESTED = "region.attested"  # region, person, role, because, purpose (fence | withdrawal | memory), run, era, epoch: one named person says that the region can't write
    APPROVAL_REOPENED = "approval.reopened"  # run, mode (graceful | ungraceful), reason, by (person, or holdfast): what was approved no longer holds; people are asked again under the same epoch
    EPOCH_FOUND = "epoch.found"  # run, era, epoch, source, target, reason: an agent pledged an epoch that this journal doesn't know; it is turned back
    EPOCH_WITHDRAWN = "epoch.withdrawn"  # run, era, epoch (never used again), back [era, epoch], serving, detail
    TURNED_BACK = "run.turned-back"  # run, components {component: {region: state}}, reason: where everything stands after turning back
    PAUSED = "automation.paused"  # by, because
    RESUMED = "automation.resumed"  # by, because
    PROTECTION_ORDERED = "protection.ordered"  # ask (id of the command), by, role (null), because, component, kind, region, mode (asynchronous: no write waits for the replica, unprotected | synchronous), order [4]: durable before the order is given
    PROTECTION_CHANGED = "protection.changed"  # ask, component, region, mode, outcome (succeeded | refused | failed | unknown), detail: what came of it
    JOURNAL_KEPT = "journal.kept"  # records (number), reason: the disk had kept what it failed to confirm; this record's own sync confirms it
    CLOCK_STEPPED = "clock.stepped"  # seconds (negative: back), kept (bool: an incident is open, and its times go on by the clock as it was): the controller's machine had its clock set by so much
    JOURNAL_WAITED = "journal.waited"  # since_seconds, seconds, reason: so long the journal could not be written, and nothing was decided or ordered
    STEP_INTENDED = "step.intended"  # run, step, block, component, source, target, mode, attempt, order [4], parameters
    STEP_FINISHED = "step.finished"  # run, step, block, attempt, attempts_left (before a person is asked), outcome (succeeded|settled|refused|failed|unknown, or by a person: again|skipped|settled), detail, facts, checked, verified
    ORDER_FORGOTTEN = "order.forgotten"  # region, of (incident), run, step, block, order [4], reason: a load balancer was started anew; what it was ordered is said to it again
    ORDER_REPEATED = "order.repeated"  # region, of (incident), run, step, block, order [4], outcome, detail: what came of saying it again
    STEP_WAITING = "step.waiting"  # run, step, block, attempt, reason, needs (role), choices [{choice, says, command}]
    OTHER_WAY = "step.other-way"  # run, step, block, reason, by (person, or holdfast), steps [step]: what is done instead; the step is proved at its end
    RUN_STARTED = "run.started"  # run (failover | reprotect | way-back | turn-back), source, target, mode, epoch; of turn-back also: of (the run turned back), withdraws ([era, epoch] or null)
    RUN_FINISHED = "run.finished"  # run, outcome (succeeded | failed | abandoned), reason
    NOTIFICATION_DUE = "notification.due"  # key, message, audience [recipient], channels, due_seconds, reason, unknown [audience] (nobody knows who is in it), deliveries [[channel, recipient]] (where not everybody is told over every channel), reached {channel: [recipient]} (channels with one place for all: who has a hand-over there)
    NOTIFICATION_SENT = "notification.sent"  # key, message, channel, recipient, reference; and where the channel says so: second_way (what it went by instead), repeats (bool: a repeat arrives again), receipt_within_seconds (so long a receipt is waited for, on the plan's clock), over (the plan's second channel, where it went over that)
    NOTIFICATION_FAILED = "notification.failed"  # key, message, channel, recipient, reason; of a refusal: final (bool), retry_after_seconds (null); over as above
    NOTIFICATION_INTENDED = "notification.intended"  # key, message, channel, recipient, attempt, over as above, status (over the status page: the state that it is to say): durable before it is handed over; without an outcome after it, it may have been handed over
    NOTIFICATION_UNKNOWN = "notification.unknown"  # key, message, channel, recipient, reason, repeats (null: not said), ways (how many of the channel's ways may have delivered it; 1 without it), over as above: handed over or not, nobody knows; it is handed over again
    NOTIFICATION_GIVEN_UP = "notification.given-up"  # key, message, channel, recipient, attempts, due_seconds (null), reason: nothing came of it in time, and nothing is tried any more
    NOTIFICATION_DELIVERED = "notification.delivered"  # key, channel, recipient, at_seconds, how: what the channel says about its arrival; not an acknowledgement
    CHANNELS_TESTED = "channels.tested"  # test, by, people [person], rings [channel], reaches [[channel, person]], left_out [[channel, person, because (no-address | rings | place), says]], until_seconds: a quiet test; its deliveries have its name as their key, and belong to no incident
    TEST_ACKNOWLEDGED = "test.acknowledged"  # test, person, way (as of acknowledgement.given): the person says that a test arrived; it answers for nothing
    ACKNOWLEDGED = "acknowledgement.given"  # person, way (cli | link | reply | phone-key | button), roles [role] (answered for by it), joins (bool: others had answered before)
    ROLE_TAKEN = "role.taken"  # role, person, instead_of (person or null), reason
    ESCALATED = "escalation.step"  # key, number, round, place, rung (primary | backup | level), level, roles [role], severity, row (the severity whose row of the matrix it goes by), calls [[channel, recipient, from_seconds]], answer_by_seconds, starts_over (bool), reason
    MESSAGE_EDITED = "message.edited"  # key, message, by, subject, body, short (each null: as the plan has it): a person's words for one message that is to come
    EXPLAINED = "incident.explained"  # by, cause, review (each null: as it was): what a person says of why it happened, and of where the review stands
    AGENT_RECORD = "agent.record"  # region, number, at_seconds, what, detail, facts, signature, late (bool): what an agent did by itself
    COMMAND = "command"  # id, verb, by, arguments, answer: what a person asked for and was told
    EXERCISE_MARK = "exercise.mark"  # what (cut | heal | copies-cut), detail (region; of copies-cut both, with an arrow), at_seconds: what the drill did to the world
    REAPPLY_ORDERED = "divergence.apply-ordered"  # reapply (id of the command), by, run, only [id], objections (stop|leave), region, era, epoch: what of the lost side's is to be given back
    REAPPLIED = "divergence.applied"  # reapply, region, counts {result: n}, results [{id, result (applied|already|conflict|refused|withheld|unknown), detail}]
    INCIDENT_CLOSED = "incident.closed"  # outcome, reason
