"""curl: lists, reads, adds, searches, and any command with -X."""

import re
import unittest

from tests.e2e.processes import HOST
from tests.interop.interop_case import PASSWORD, USER, InteropTestCase, checked, message


class CurlTest(InteropTestCase):

    def curl(self, path, *options):
        return self.run_client(["curl", "-sS", "-k", "--user", f"{USER}:{PASSWORD}", *options,
                                f"imaps://{HOST}:{self.port}/{path}"])

    def command(self, mailbox, command):
        return self.curl(mailbox, "-X", command).decode()

    def test_lists_mailboxes(self):
        self.command("", "CREATE Work/Plans")
        self.command("", 'CREATE "With space"')
        listed = self.curl("").decode()
        names = {line.rpartition(' "/" ')[2].strip('"') for line in listed.splitlines()}
        self.assertLessEqual({"INBOX", "Work", "Work/Plans", "With space"}, names)
        self.assertIn("* LSUB", self.command("", 'LSUB "" INBOX'))
        checked("LIST and CREATE")

    def test_reads_messages_and_parts(self):
        content = self.append("one", body=b"First line.\r\nSecond line.\r\n")
        self.assertEqual(self.curl("INBOX;UID=1"), content)
        self.assertEqual(self.curl("INBOX;MAILINDEX=1"), content)
        self.assertEqual(self.curl("INBOX;UID=1;SECTION=TEXT"), b"First line.\r\nSecond line.\r\n")
        self.assertIn(b"Subject: one\r\n", self.curl("INBOX;UID=1;SECTION=HEADER"))
        self.assertIn(r"\Seen", self.command("INBOX", "FETCH 1 FLAGS"))
        checked("FETCH by UID, by number, and of sections")

    def test_adds_messages(self):
        for subject, size in (("small", 1), ("large", 3000)):
            content = message(subject, b"x" * 70 * size + b"\r\n")
            path = self.write_file("upload.eml", content.decode())
            with open(path, "wb") as file:
                file.write(content)
            self.curl("INBOX", "-T", path)
            uid = re.search(r"\d+", self.command("INBOX", f"UID SEARCH SUBJECT {subject}"))[0]
            self.assertEqual(self.curl(f"INBOX;UID={uid}"), content)
        checked("APPEND with synchronizing literals")

    def test_searches(self):
        self.append("alpha")
        self.append("beta", flags=r"(\Flagged)")
        self.assertEqual(self.curl("INBOX?SUBJECT%20beta").strip(), b"* SEARCH 2")
        self.assertEqual(self.curl("INBOX?UNFLAGGED").strip(), b"* SEARCH 1")
        self.assertEqual(self.curl("INBOX?FROM%20nobody").strip(), b"* SEARCH")
        checked("SEARCH")

    def test_any_command(self):
        self.append("one")
        self.append("two")
        self.command("", "CREATE Kept")
        self.command("INBOX", "UID COPY 1 Kept")
        self.command("INBOX", "UID MOVE 2 Kept")
        self.assertEqual(set(self.subjects("Kept")), {"one", "two"})
        self.assertEqual(set(self.subjects()), {"one"})
        self.command("INBOX", r"STORE 1 +FLAGS \Deleted")
        self.assertIn("* 1 EXPUNGE", self.command("INBOX", "EXPUNGE"))
        self.command("", "RENAME Kept Old")
        self.assertIn("MESSAGES 2", self.command("", "STATUS Old (MESSAGES)"))
        self.command("", "DELETE Old")
        self.assertNotIn("Old", self.mailboxes())
        self.assertIn("EXISTS", self.command("", "EXAMINE INBOX"))
        self.command("", "NOOP")
        checked("COPY, MOVE, STORE, EXPUNGE, RENAME, STATUS, DELETE, EXAMINE by -X")


if __name__ == "__main__":
    unittest.main(verbosity=2)
