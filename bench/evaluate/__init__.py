"""The evaluation of the TrIMS paper: scripts/evaluate, docs/evaluation.md."""
