"""Virtual time, a simulated world, fakes that pass the contract suites, and checkers of what must always hold."""
