"""Kubernetes: scaling, deploying and configuring a region's application through the cluster's API."""
