"""Virtual time, a simulated world, and fakes of every port: the same contract suites hold them and the providers."""
