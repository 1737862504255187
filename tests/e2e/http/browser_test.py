"""The dashboard in a real browser, which scripts/setup installs. Skipped where there is none."""
import signal
import sys
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent))

import browser  # noqa: E402
from servers import TOKEN, servers  # noqa: E402

LIVE = "document.getElementById('link').dataset.state === 'live'"
SKIPPED = 77  # what CTest reads as such


class Dashboard(unittest.TestCase):
    def test_shows_what_the_daemon_holds_and_that_it_has_gone(self):
        with servers() as both, browser.page() as page:
            both.add_file("shown", 5_000_000)
            self.assertEqual(both.unix("POST", "/v2/repository/models/shown/load").status, 200)
            page.open(f"http://127.0.0.1:{both.port}/")
            page.wait("!document.getElementById('token-form').hidden")
            page.value(f"document.getElementById('token').value = '{TOKEN}'; document.querySelector('#token-form button').click()")
            page.wait(LIVE)
            self.assertTrue(page.value("document.getElementById('token-form').hidden"))
            self.assertIn("shown", page.value("document.getElementById('models').tBodies[0].textContent"))
            self.assertEqual(page.value("document.querySelectorAll('#tiers .part').length"), 1)
            self.assertGreater(page.value("document.querySelector('#tiers .part').getBoundingClientRect().width"), 20)
            self.assertIn("miss", page.value("document.getElementById('latency').textContent"))
            page.wait("document.getElementById('events').textContent.includes('segment.resident')")
            both.trims("alias", "prod=shown")
            page.wait("document.getElementById('events').rows[0].textContent.includes('alias.moved')")
            self.assertIn("prod → shown", page.value("document.getElementById('events').rows[0].textContent"))
            both.daemon.end(signal.SIGKILL)
            page.wait("document.getElementById('link').dataset.state === 'away'")
            self.assertIn("trimsd", page.value("document.getElementById('problem').textContent"))
            both.start_daemon()
            page.wait(LIVE)
            page.wait("document.getElementById('more').textContent.startsWith('nothing is resident')")
            refused = [text for text in page.complaints if "401" not in text and "503" not in text]
            self.assertEqual(refused, [])  # among them: what the Content-Security-Policy refuses

    def test_takes_its_token_from_the_link_and_leaves_it_out_of_the_address(self):
        with servers() as both, browser.page() as page:
            page.open(f"http://127.0.0.1:{both.port}/#token={TOKEN}", dark=True)
            page.wait(LIVE)
            self.assertNotIn(TOKEN, page.value("location.href"))
            self.assertEqual(page.value("getComputedStyle(document.body).backgroundColor"), "rgb(16, 22, 21)")


if __name__ == "__main__":
    if browser.find() is None:
        print("skipped: no Chromium here (try: apt-get install chromium-headless-shell)")
        sys.exit(SKIPPED)
    unittest.main()
