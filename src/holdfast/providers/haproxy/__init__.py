"""HAProxy: letting a region's load balancer admit traffic, or stop it, over the runtime API."""
