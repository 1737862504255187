"""One module a suite. Each has run(bench) → list of rows; `bench` is harness.session.Bench."""
