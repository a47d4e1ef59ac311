"""The feed that a customer's own front end shows."""
