"""The state folder: closed to other users, and of one process at a time."""

import json
import os
import pathlib
import stat
import tempfile
import unittest

from state_folder import InUse, NotPrivate, StateFolder
from test_process import start_in_vain
from testing import LocalAws, Stack, document, operation

API = document({"/x": {"post": operation("f")}})


class Folder(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def test_everything_is_closed_to_others_and_in_the_folder(self):
        old = self.folder / "state/data/lambda.json"
        old.parent.mkdir(parents=True)
        old.write_text("{}")
        for path, mode in ((self.folder / "state", 0o755), (old.parent, 0o755), (old, 0o644)):
            path.chmod(mode)
        elsewhere = self.folder / "elsewhere"
        elsewhere.mkdir()
        aws = LocalAws(str(self.folder), TMPDIR=str(elsewhere))
        self.addCleanup(aws.stop)
        stack = Stack(aws, "f", API, Environment={"Variables": {"PASSWORD": "hidden"}})
        self.assertEqual(stack.send("/x", b"1"), (200, b"1"))
        found = json.loads(stack.send("/x", b'"environment"')[1])
        self.assertTrue(found["LAMBDA_TASK_ROOT"].startswith(f"{self.folder}/state/tmp/"), found)
        self.assertEqual(found["TMPDIR"], f"{self.folder}/state/tmp")
        self.assertEqual([*elsewhere.iterdir()], [])
        code = pathlib.Path(found["LAMBDA_TASK_ROOT"])
        for path in (self.folder / "state", *(self.folder / "state").rglob("*")):
            mode = stat.S_IMODE(path.stat().st_mode)
            if code not in (path, *path.parents):  # a package says itself what its files are, as on Lambda
                self.assertEqual(mode & 0o077, 0, (path, oct(mode)))

    def test_nothing_temporary_is_left(self):
        aws = LocalAws(str(self.folder))
        self.assertEqual(Stack(aws, "f", API).send("/x", b"1"), (200, b"1"))
        aws.stop()
        self.assertFalse((self.folder / "state/tmp").exists())

    def test_a_secret_stays_unless_others_could_read_it(self):
        folder = StateFolder(str(self.folder))
        secret, path = folder.secret(), self.folder / "credentials"
        self.assertEqual(stat.S_IMODE(path.stat().st_mode), 0o600)
        self.assertEqual(folder.secret(), secret)
        path.chmod(0o640)
        self.assertNotEqual(folder.secret(), secret)
        self.assertEqual(stat.S_IMODE(path.stat().st_mode), 0o600)
        path.write_text("[default]\naws_secret_access_key = test\n")
        with self.assertRaisesRegex(NotPrivate, "holds no secret"):
            folder.secret()

    def test_a_folder_is_used_by_one_process(self):
        aws = LocalAws(str(self.folder))
        self.addCleanup(aws.stop)
        record = json.loads((self.folder / "state/running").read_text())
        self.assertEqual(record, {"pid": aws.process.pid, "port": aws.port, "ready": True})
        with self.assertRaises(InUse):
            StateFolder(f"{self.folder}/state").claim()

    @unittest.skipUnless(os.geteuid() == 0, "needs to be another user")
    def test_what_another_user_has_made_is_not_used(self):
        for path in ("state", "state/data", "state/tmp", "state/credentials", "state/launcher"):
            with self.subTest(path), tempfile.TemporaryDirectory() as folder:
                theirs = pathlib.Path(folder, path)
                theirs.mkdir(parents=True)
                os.chown(theirs, 65534, -1)
                status, error = start_in_vain(STATE_DIR=f"{folder}/state")
                self.assertEqual(status, 2)
                self.assertRegex(error, f"can't use .*: {theirs} belongs to another user")

    def test_links_of_others_are_not_followed(self):
        for name in ("running", "credentials"):
            with self.subTest(name), tempfile.TemporaryDirectory() as folder:
                target = pathlib.Path(folder, "target")
                target.write_text("kept")
                pathlib.Path(folder, "state").mkdir()
                pathlib.Path(folder, "state", name).symlink_to(target)
                start_in_vain("import self_test\nasync def run(port): raise self_test.Failed('')\nself_test.run = run", STATE_DIR=f"{folder}/state")
                self.assertEqual(target.read_text(), "kept")

    def test_any_name_will_do(self):
        for name in ("it's", "$(touch broken)", "a:b", 'a"b', "a b;c", "`d`"):
            with self.subTest(name):
                folder = self.folder / name
                folder.mkdir()
                aws = LocalAws(str(folder))
                try:
                    self.assertEqual(Stack(aws, "f", API).send("/x", b"1.50"), (200, b"1.50"))
                finally:
                    aws.stop()
        self.assertFalse(pathlib.Path("broken").exists())


if __name__ == "__main__":
    unittest.main()
