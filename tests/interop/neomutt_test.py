"""neomutt on a terminal: opens, flags, saves to another mailbox, deletes, syncs."""

import os
import re
import time
import unittest

import pexpect
import pyte

from tests.e2e import readers
from tests.e2e.processes import HOST
from tests.interop.interop_case import PASSWORD, USER, InteropTestCase, checked

CONFIG = """
set folder = "imaps://{host}:{port}/"
set spoolfile = "+INBOX"
set imap_user = "{user}"
set imap_pass = "{password}"
set imap_idle = {idle}
set imap_condstore = {condstore}
set imap_qresync = {qresync}
set header_cache = "{folder}/cache"
set certificate_file = "{certificate}"
set ssl_verify_host = no
set ssl_verify_dates = no
set mail_check = 1
set timeout = 1
set quit = yes
set delete = yes
set confirmappend = no
set confirmcreate = no
set move = no
set auto_tag = no
set wait_key = no
set sort = mailbox-order
set index_format = "%4C %Z [%s]"
set status_format = "STATUS %f %m messages"
"""
ROWS = 30
COLUMNS = 100
STEP_LIMIT = 20


class Terminal:
    """A program on a terminal, and what stands on its screen."""

    def __init__(self, command, environment):
        self._screen = pyte.Screen(COLUMNS, ROWS)
        self._stream = pyte.ByteStream(self._screen)
        self._process = pexpect.spawn(command[0], command[1:], env=environment,
                                      dimensions=(ROWS, COLUMNS), timeout=STEP_LIMIT)

    def send(self, keys):
        self._process.send(keys)

    def text(self):
        return "\n".join(line.rstrip() for line in self._screen.display)

    def read(self):
        """Takes what it writes for a short time; False at its end."""
        try:
            self._stream.feed(self._process.read_nonblocking(65536, timeout=0.1))
        except pexpect.TIMEOUT:
            pass
        except pexpect.EOF:
            return False
        return True

    def wait_until(self, condition):
        deadline = time.monotonic() + STEP_LIMIT
        while not condition():
            if time.monotonic() > deadline or not self.read():
                raise AssertionError(f"it never came, only:\n{self.text()}")

    def wait_for(self, pattern):
        """Until it is seen on the screen."""
        self.wait_until(lambda: re.search(pattern, self.text()))

    def exit_code(self):
        deadline = time.monotonic() + STEP_LIMIT
        while self.read():
            if time.monotonic() > deadline:
                raise AssertionError(f"it does not end:\n{self.text()}")
        self._process.close()
        return self._process.exitstatus

    def close(self):
        self._process.close(force=True)


class NeomuttTest(InteropTestCase):

    def start(self, **settings):
        chosen = {"idle": "no", "condstore": "no", "qresync": "no", **settings}
        config = self.write_file("muttrc", CONFIG.format(
            host=HOST, port=self.port, user=USER, password=PASSWORD, folder=self.folder,
            certificate=self.certificate, **chosen))
        os.makedirs(os.path.join(self.folder, "cache"), exist_ok=True)
        environment = dict(os.environ, HOME=self.folder, TERM="xterm", LC_ALL="C.UTF-8")
        mutt = Terminal(["neomutt", "-n", "-F", config], environment)
        self.addCleanup(mutt.close)
        return mutt

    def quit(self, mutt):
        mutt.send("q")
        self.assertEqual(mutt.exit_code(), 0)

    def assert_offered(self, capability):
        self.assertIn(capability.encode(), readers.check(self.imap.capability())[0].split())

    def test_reads_flags_saves_and_deletes(self):
        for subject in ("one", "two", "three", "four"):
            self.append(subject, body=f"The text of {subject}.\r\n".encode())
        readers.check(self.imap.create("Kept"))
        mutt = self.start()
        mutt.wait_for(r"\[four\]")
        mutt.send("1\r\r")
        mutt.wait_for("The text of one")
        mutt.send("i")
        checked("opens INBOX and shows a message")

        mutt.send("2\rF$")
        mutt.wait_until(lambda: r"\Flagged" in self.subjects()["two"])
        self.assertIn(r"\Seen", self.subjects()["one"])
        checked("flags a message and syncs")

        mutt.send("3\rs=Kept\r$")
        mutt.wait_until(lambda: "three" in self.subjects("Kept"))
        mutt.wait_until(lambda: "three" not in self.subjects())
        mutt.send("1\rd$")
        mutt.wait_until(lambda: set(self.subjects()) == {"two", "four"})
        checked("saves a message to another mailbox, deletes one")

        mutt.send("c=Kept\r")
        mutt.wait_for(r"STATUS \S*Kept 1 messages")
        self.quit(mutt)
        self.assertEqual(set(self.subjects()), {"two", "four"})
        checked("changes the mailbox and ends")

    def check_news(self, **settings):
        self.append("old-1")
        self.append("old-2")
        mutt = self.start(**settings)
        mutt.wait_for(r"\[old-2\]")
        self.append("new")
        mutt.wait_for(r"\[new\]")
        self.remove("old-1")
        mutt.wait_for("2 messages")
        self.quit(mutt)
        # Again, from its cache, after changes that it did not see.
        self.append("later")
        self.store("old-2", "+FLAGS", r"(\Flagged)")
        self.remove("new")
        mutt = self.start(**settings)
        mutt.wait_for("STATUS .* 2 messages")
        mutt.send("1\rd$")
        mutt.wait_until(lambda: set(self.subjects()) == {"later"})
        self.quit(mutt)

    def test_hears_of_changes(self):
        self.check_news()
        checked("new and removed messages by polling, and from its cache")

    def test_hears_of_changes_with_idle(self):
        self.assert_offered("IDLE")
        self.check_news(idle="yes")
        checked("new and removed messages by IDLE")

    def test_hears_of_changes_with_condstore(self):
        self.assert_offered("CONDSTORE")
        self.check_news(condstore="yes")
        checked("the cache is brought up to date with CONDSTORE")

    def test_hears_of_changes_with_qresync(self):
        self.assert_offered("QRESYNC")
        self.check_news(condstore="yes", qresync="yes")
        checked("the cache is brought up to date with QRESYNC")


if __name__ == "__main__":
    unittest.main(verbosity=2)
