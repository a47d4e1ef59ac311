"""Orders, lease promises and their arithmetic: pure, standard library only, so that agent and controller share one rule."""
