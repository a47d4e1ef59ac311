"""One rule a file. To add one: write the file with its `RULE`, and name it in `ALL`. Codes are never reused."""

from holdfast.checks.finding import Rule
from holdfast.checks.rules import (
    answer_time,
    approvers,
    availability,
    backup_strategy,
    component_rto,
    export_first,
    fence_first,
    function_rpo,
    function_rto,
    observers,
    other_way,
    role_backup,
    same_phone,
    traffic_last,
    way_back,
    windows,
    zone_lost,
)

ALL: tuple[Rule, ...] = (
    function_rto.RULE,
    component_rto.RULE,
    function_rpo.RULE,
    availability.RULE,
    fence_first.RULE,
    traffic_last.RULE,
    export_first.RULE,
    windows.RULE,
    role_backup.RULE,
    approvers.RULE,
    answer_time.RULE,
    way_back.RULE,
    backup_strategy.RULE,
    same_phone.RULE,
    observers.RULE,
    other_way.RULE,
    zone_lost.RULE,
)
