"""scripts/check-examples: the project passes it, and an example that is not compiled is caught."""
import pathlib
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
HEADER = "// Queue: jobs.\n//\n//   Queue queue(2);   // two threads\n//   queue.Push([] { … });\n//\n// Thread-safety: any.\n"
COMPILED = "// example: src/loop/queue.h\n  Queue queue(2);\n  queue.Push([] { Work(); });\n  // end\n"


def check(root):
    return subprocess.run([sys.executable, ROOT / "scripts" / "check-examples", root], capture_output=True, text=True)


class CheckExamples(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)
        self.write("src/loop/queue.h", HEADER)
        self.write("tests/examples/loop.cc", COMPILED)

    def write(self, path, text):
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def said(self):
        result = check(self.root)
        self.assertEqual(result.returncode, 1, result.stdout + result.stderr)
        return result.stdout

    def test_the_project_passes(self):
        result = check(ROOT)
        self.assertEqual((result.returncode, result.stdout), (0, ""))

    def test_the_same_code_passes_whatever_its_comments_and_what_is_left_out(self):
        result = check(self.root)
        self.assertEqual((result.returncode, result.stdout), (0, ""))

    def test_code_that_ran_into_a_comment(self):
        self.write("src/loop/queue.h", HEADER.replace("two threads\n//   queue", "two threads queue"))
        self.assertIn("src/loop/queue.h: its example is not what", self.said())

    def test_an_example_that_nothing_compiles(self):
        self.write("src/loop/other.h", HEADER)
        self.assertIn("src/loop/other.h: its example is compiled nowhere", self.said())

    def test_an_example_of_no_header(self):
        self.write("src/loop/queue.h", "// Queue: jobs.\n")
        self.assertIn("src/loop/queue.h: tests/examples compiles an example of it", self.said())


if __name__ == "__main__":
    unittest.main()
