"""packaging/: what Grafana, Prometheus and systemd read is well formed, and asks for metrics that there are."""
import configparser
import json
import re
import subprocess
import sys
import unittest
from pathlib import Path

import yaml

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent))

from servers import program, servers  # noqa: E402

PACKAGING = Path(__file__).resolve().parents[3] / "packaging"
METRIC = re.compile(r"\btrims_[a-z_]+")
OF_HISTOGRAMS = re.compile("_(bucket|sum|count)$")


def names(text):
    return {OF_HISTOGRAMS.sub("", name) for name in METRIC.findall(text)}


class Metrics(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        with servers() as both:
            both.add_file("shown", 4096)
            both.unix("POST", "/v2/repository/models/shown/load")
            cls.served = set(re.findall(r"^# TYPE (\S+)", both.unix("GET", "/metrics").text, re.M))

    def test_the_rules_ask_for_what_is_served(self):
        rules = yaml.safe_load((PACKAGING / "prometheus/trims.rules.yml").read_text())
        alerts = [rule for group in rules["groups"] for rule in group["rules"]]
        self.assertGreater(len(alerts), 5)
        self.assertEqual(len({rule["alert"] for rule in alerts}), len(alerts))
        for rule in alerts:
            self.assertEqual(set(rule), {"alert", "expr", "for", "labels", "annotations"}, rule["alert"])
            self.assertEqual(set(rule["annotations"]), {"summary", "description"}, rule["alert"])
            self.assertLessEqual(names(rule["expr"]), self.served, rule["alert"])
            self.assertEqual(rule["expr"].count("("), rule["expr"].count(")"), rule["alert"])

    def test_the_dashboard_asks_for_what_is_served(self):
        dashboard = json.loads((PACKAGING / "grafana/trims.json").read_text())
        self.assertGreater(len(dashboard["panels"]), 10)
        self.assertEqual(len({panel["id"] for panel in dashboard["panels"]}), len(dashboard["panels"]))
        for panel in dashboard["panels"]:
            self.assertTrue(panel["targets"], panel["title"])
            for target in panel["targets"]:
                self.assertTrue(names(target["expr"]), panel["title"])
                self.assertLessEqual(names(target["expr"]), self.served, panel["title"])

    def test_the_documents_name_every_metric(self):
        described = (PACKAGING.parent / "docs/http.md").read_text()
        self.assertEqual({name for name in self.served if f"`{name}`" not in described}, set())


class Unit(unittest.TestCase):
    def test_starts_the_program_with_options_that_it_has(self):
        unit = configparser.ConfigParser(strict=False, interpolation=None)
        unit.optionxform = str
        text = (PACKAGING / "systemd/trims-http.service").read_text()
        unit.read_string(text)
        self.assertEqual(set(unit.sections()), {"Unit", "Service", "Install"})
        self.assertTrue(unit["Service"]["ExecStart"].startswith("/usr/bin/trims-http "))
        known = subprocess.run([program("trims-http"), "--help"], stdout=subprocess.PIPE, text=True, check=True).stdout
        for option in re.findall(r"--[a-z-]+", text):
            self.assertIn(option, known)
        described = (PACKAGING.parent / "docs/http.md").read_text()
        for option in set(re.findall(r"--[a-z][a-z-]+", known)) - {"--help", "--version"}:
            self.assertIn(f"`{option}", described)


class TraceUnit(unittest.TestCase):
    def test_exports_with_options_that_the_program_has(self):
        unit = configparser.ConfigParser(strict=False, interpolation=None)
        unit.optionxform = str
        unit.read_string((PACKAGING / "systemd/trims-trace.service").read_text())
        start = unit["Service"]["ExecStart"]
        self.assertTrue(start.startswith("/usr/bin/trims ") and start.endswith(" trace export"), start)
        known = subprocess.run([program("trims"), "--help"], stdout=subprocess.PIPE, text=True, check=True).stdout
        for option in re.findall(r"--[a-z-]+", start):
            self.assertIn(option, known)


class DaemonUnit(unittest.TestCase):
    def test_starts_the_daemon_with_options_that_it_has_and_keeps_descriptors(self):
        unit = configparser.ConfigParser(strict=False, interpolation=None)
        unit.optionxform = str
        unit.read_string((PACKAGING / "systemd/trimsd.service").read_text())
        service = unit["Service"]
        known = subprocess.run([program("trimsd"), "--help"], stdout=subprocess.PIPE, text=True, check=True).stdout
        for option in re.findall(r"--[a-z-]+", service["ExecStart"]):
            self.assertIn(option, known)
        self.assertEqual(service["Type"], "notify")
        self.assertGreater(int(service["FileDescriptorStoreMax"]), 4096)


if __name__ == "__main__":
    unittest.main()
