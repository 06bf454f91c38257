"""Python's imaplib: the whole life of a mailbox, with every method that imaplib has for it."""

import imaplib
import re
import time
import unittest

from tests.e2e import readers
from tests.e2e.readers import check
from tests.interop.interop_case import PASSWORD, USER, InteropTestCase, checked, message


class ImaplibTest(InteropTestCase):

    def test_life_of_a_mailbox(self):
        imap = self.imap
        check(imap.create("Work"))
        check(imap.create("Work/Plans"))
        self.assertEqual(self.mailboxes().count("Work/Plans"), 1)
        with self.assertRaisesRegex(RuntimeError, r"\[ALREADYEXISTS\]"):
            check(imap.create("Work"))

        check(imap.subscribe("Work"))
        self.assertIn(b'"/" Work', b"".join(check(imap.lsub())))
        check(imap.unsubscribe("Work"))
        self.assertNotRegex(b"".join(line or b"" for line in check(imap.lsub())), rb'"/" Work$')
        checked("CREATE, LIST, SUBSCRIBE, LSUB, UNSUBSCRIBE")

        contents = [message(f"m{n}", b"x" * n + b"\r\n") for n in range(1, 6)]
        date = imaplib.Time2Internaldate(time.gmtime(1700000000))
        for content in contents:
            check(imap.append("Work", r"(\Flagged)", date, content))
        self.assertEqual(check(imap.select("Work")), [b"5"])
        for number, content in enumerate(contents, 1):
            self.assertEqual(check(imap.fetch(str(number), "(BODY.PEEK[])"))[0][1], content)
        metadata = readers.metadata(imap)
        self.assertEqual([size for _, _, size in metadata.values()], [len(c) for c in contents])
        self.assertTrue(all(flags == {rb"\Flagged"} for flags, _, _ in metadata.values()))
        seconds = time.mktime(imaplib.Internaldate2tuple(b'INTERNALDATE "' + metadata[1][1] + b'"'))
        self.assertEqual(seconds, 1700000000)
        checked("APPEND, SELECT, FETCH")

        self.assertEqual(check(imap.search(None, "SUBJECT", "m3")), [b"3"])
        self.assertEqual(check(imap.search("UTF-8", "SUBJECT", "m3")), [b"3"])
        self.assertEqual(check(imap.uid("SEARCH", "2:3,5")), [b"2 3 5"])
        self.assertEqual(check(imap.sort("(REVERSE SIZE)", "UTF-8", "ALL")), [b"5 4 3 2 1"])
        self.assertEqual(check(imap.thread("ORDEREDSUBJECT", "UTF-8", "1:2")), [b"(1)(2)"])
        checked("SEARCH, SORT, THREAD")

        check(imap.store("2", "+FLAGS", r"(\Deleted)"))
        check(imap.copy("1,3", "Work/Plans"))
        self.assertEqual(set(self.subjects("Work/Plans")), {"m1", "m3"})
        check(imap.select("Work"))
        self.assertEqual(check(imap.expunge()), [b"2"])
        check(imap.uid("MOVE", "5", "Work/Plans"))
        self.assertEqual(set(self.subjects("Work/Plans")), {"m1", "m3", "m5"})
        self.assertEqual(set(self.subjects("Work")), {"m1", "m3", "m4"})
        checked("STORE, COPY, EXPUNGE, UID MOVE")

        check(imap.select("Work"))
        check(imap.store("1", "+FLAGS", r"(\Deleted)"))
        check(imap.close())
        self.assertEqual(set(self.subjects("Work")), {"m3", "m4"})
        check(imap.rename("Work", "Done"))
        self.assertIn("Done/Plans", self.mailboxes())
        self.assertNotIn("Work", self.mailboxes())
        self.assertEqual(set(self.subjects("Done/Plans")), {"m1", "m3", "m5"})
        check(imap.close())
        check(imap.delete("Done/Plans"))
        check(imap.delete("Done"))
        self.assertNotIn("Done", self.mailboxes())
        with self.assertRaisesRegex(RuntimeError, r"\[NONEXISTENT\]"):
            check(imap.select("Done"))
        checked("CLOSE, RENAME, DELETE")

    def test_answers_without_a_mailbox(self):
        imap = self.imap
        self.assertIn(b"((\"\" \"/\"))", check(imap.namespace())[0])
        check(imap.getquotaroot("INBOX"))
        check(imap.noop())
        check(imap.check())
        check(imap.unselect())
        self.assertIn(b" IDLE ", check(imap.capability())[0])
        kind, _ = readers.connect(self.port, USER, PASSWORD).logout()
        self.assertEqual(kind, "BYE")
        checked("NAMESPACE, GETQUOTAROOT, NOOP, CHECK, UNSELECT, LOGOUT")

    def test_utf8_names_and_text(self):
        imap = self.imap
        # RFC 5161, 3.1: not while a mailbox is selected, says imaplib.
        check(imap.unselect())
        check(imap.enable("UTF8=ACCEPT"))
        check(imap.create('"Grüße"'))
        # By a session that has not enabled it: imaplib puts the words of RFC 6855 into the message.
        other = readers.connect(self.port, USER, PASSWORD)
        self.addCleanup(other.shutdown)
        check(other.append("Gr&APwA3w-e", "", None, "Subject: Ärger\r\n\r\nÖl\r\n".encode()))
        check(imap.select('"Grüße"'))
        self.assertEqual(check(imap.search(None, 'SUBJECT "ärger"')), [b"1"])
        self.assertIn("Grüße".encode(), b"".join(check(imap.list())))
        # The other sees the name in modified UTF-7.
        self.assertIn(b"Gr&APwA3w-e", b"".join(check(other.list())))
        checked("ENABLE UTF8=ACCEPT, names and text in UTF-8")

    def test_idle_hears_of_another_session(self):
        other = readers.connect(self.port, USER, PASSWORD)
        self.addCleanup(other.shutdown)
        with readers.Idle(other) as idle:
            self.append("news")
            self.assertRegex(idle.wait_for(b"EXISTS"), rb"\* 1 EXISTS")
            self.store("news", "+FLAGS", r"(\Seen)")
            idle.wait_for(rb"\Seen")
            self.remove("news")
            self.assertRegex(idle.wait_for(b"EXPUNGE"), rb"\* 1 EXPUNGE")
        checked("IDLE: EXISTS, FETCH, EXPUNGE")

    def test_wrong_password(self):
        client = imaplib.IMAP4_SSL("127.0.0.1", self.port, ssl_context=readers.any_certificate())
        self.addCleanup(client.shutdown)
        with self.assertRaisesRegex(imaplib.IMAP4.error, r"\[AUTHENTICATIONFAILED\]"):
            client.login(USER, "wrong")
        client.authenticate("PLAIN", lambda _: f"\0{USER}\0{PASSWORD}".encode())
        self.assertRegex(check(client.status("INBOX", "(MESSAGES)"))[0], re.compile(rb"MESSAGES 0"))
        checked("LOGIN refused, AUTHENTICATE PLAIN")


if __name__ == "__main__":
    unittest.main(verbosity=2)
