"""scripts/check-layers: the project passes it, and each kind of wrong include is caught."""
import pathlib
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent


def check(root):
    return subprocess.run([sys.executable, ROOT / "scripts" / "check-layers", root], capture_output=True, text=True)


class CheckLayers(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)
        self.write("include/trims/status.h", "#include <string>\n")
        self.write("src/base/fd.cc", '#include "trims/status.h"\n\n#include "base/fd.h"\n')
        self.write("src/manager/manager.cc", '#include "base/fd.h"\n#include "store/budget.h"\n')
        self.write("src/tools/trims/main.cc", '#include "manager/manager.h"\n#include "tools/trims/cli.h"\n')

    def write(self, path, text):
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def caught(self, path, text):
        """What the check says once `path` holds `text`: one line."""
        self.write(path, text)
        result = check(self.root)
        self.assertEqual(result.returncode, 1, result.stdout + result.stderr)
        lines = result.stdout.splitlines()
        self.assertEqual(len(lines), 1, result.stdout)
        self.assertIn(path, lines[0])
        return lines[0]

    def test_the_project_passes(self):
        result = check(ROOT)
        self.assertEqual((result.returncode, result.stdout), (0, ""))

    def test_includes_that_point_downward_pass(self):
        result = check(self.root)
        self.assertEqual((result.returncode, result.stdout), (0, ""))

    def test_an_upward_include(self):
        line = self.caught("src/base/log.h", '#  include "manager/manager.h"\n')
        self.assertIn("base may not include manager/", line)

    def test_an_unknown_layer(self):
        self.write("src/plugins/x.h", "")
        result = check(self.root)
        self.assertEqual(result.returncode, 1)
        self.assertIn("src/plugins: an unknown layer", result.stdout)

    def test_an_include_of_an_unknown_layer(self):
        self.assertIn("may not include plugins/", self.caught("src/manager/x.cc", '#include "plugins/x.h"\n'))

    def test_a_public_header_that_needs_the_source_tree(self):
        self.assertIn("includes base/", self.caught("include/trims/client.h", '#include "base/fd.h"\n'))

    def test_a_program_that_takes_another_ones_parts(self):
        line = self.caught("src/tools/trimsd/main.cc", '#include "tools/trims/table.h"\n')
        self.assertIn("another one's tools/trims/", line)

    def test_a_way_around_by_the_parent_folder(self):
        self.assertIn("'..'", self.caught("src/base/x.h", '#include "../manager/manager.h"\n'))

    def test_a_folder_without_sources_is_refused(self):
        self.assertEqual(check(self.root / "include").returncode, 2)


if __name__ == "__main__":
    unittest.main()
