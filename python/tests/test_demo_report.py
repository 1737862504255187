"""The demo's table."""

import report  # of demo/, see conftest.py


def test_slower_inference_is_explained_where_it_is_shown():
    row = {"process": 1.0, "inference": 2.0, "total": 3.0, "result": "x"}
    function = {"megabytes": 5.0, "cold_start_ms": {"cold": row, "hit": row}}
    how = {"cold": "framework", "hit": "TrIMS"}
    lines = {phases: "\n".join(report._cold_starts({"functions": {"ocr": function}}, how, phases))
             for phases in (("process", "inference"), ("process",))}
    assert "as they lie" in lines["process", "inference"] and "as they lie" not in lines["process",]
