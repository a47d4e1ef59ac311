"""What was acknowledged to a client, and what that says about RTO and RPO."""
