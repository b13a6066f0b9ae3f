"""Measuring: image metrics, trivial baselines, benchmarks and the check against a second develop engine."""
