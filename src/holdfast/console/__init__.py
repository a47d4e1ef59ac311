"""HTTP faces: the controller's interface and what observers serve."""
