"""The driver of scripts/bench: it starts a private daemon, runs the measuring programs and reports (docs/benchmarks.md)."""
