"""Pure: the incident's states and transitions as one table, approvals, replay, and the policy that says what to do next."""
