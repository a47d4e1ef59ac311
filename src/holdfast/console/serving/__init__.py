"""What `holdfast serve` puts in front of a running controller: sign-in, pages, answers, alerts in. It never decides anything itself."""
