"""smtp-sink (of Postfix): rmail's relay hands it many mails, and copes with what it can't do."""

import collections
import glob
import os
import re
import shutil
import smtplib
import socket
import ssl
import tempfile
import unittest

from tests.e2e.processes import HOST, ServerProcess, free_port
from tests.interop.interop_case import PASSWORD, USER, checked
from tests.interop.postfix import NOT_INSTALLED, program, supervised
from tests.interop.smtp_case import (STRANGER, SmtpInteropTestCase, delivery_status, eight_bit_letter,
                                     eventually, letter, parse)

LIMIT = 60
# Who writes what the sink gets when the test is root.
SINK_USER = "nobody"


def answers(port):
    with socket.socket() as probe:
        return probe.connect_ex((HOST, port)) == 0


@unittest.skipIf(NOT_INSTALLED, NOT_INSTALLED)
class SmtpSinkTest(SmtpInteropTestCase):

    def configure(self, config):
        self.sink_port = free_port()
        config["relay"] = {"smarthost": HOST, "smarthost_port": self.sink_port}

    def start_sink(self, *options):
        # Not in the test's own folder, which SINK_USER may not be able to reach.
        self.dump = tempfile.mkdtemp(prefix="rmail-sink-", dir="/tmp")
        self.addCleanup(shutil.rmtree, self.dump)
        if os.geteuid() == 0:
            shutil.chown(self.dump, SINK_USER)
            options += ("-u", SINK_USER)
        sink = ServerProcess(
            "smtp-sink", supervised(program("smtp-sink"), *options, "-d", os.path.join(self.dump, "%s."),
                                    f"{HOST}:{self.sink_port}", "100"), self.folder)
        self.addCleanup(sink.terminate)
        eventually(lambda: answers(self.sink_port) or not sink.is_running(), "smtp-sink does not start")
        self.assertTrue(sink.is_running(), sink.log())

    def taken(self):
        """What the sink has got, as (its notes on the envelope, the message)."""
        found = []
        for path in glob.glob(os.path.join(self.dump, "*")):
            with open(path, "rb") as file:
                content = file.read()
            notes = re.match(rb"(?:X-[A-Za-z-]+: .*\n)*", content)[0]
            found.append((notes.decode(), content[len(notes):]))
        return found

    def wait_for_mails(self, count):
        # The sink makes a file before the message is whole: the queue tells when it is.
        def sent():
            return self.queue() == [] and len(self.taken()) >= count
        eventually(sent, "not all are sent")
        return self.taken()

    def log_in(self):
        context = ssl.create_default_context(cafile=self.certificate)
        client = smtplib.SMTP_SSL("localhost", self.server.port("smtps"), context=context, timeout=LIMIT)
        self.addCleanup(client.close)
        client.login(USER, PASSWORD)
        return client

    def send(self, *mails):
        client = self.log_in()
        for content in mails:
            options = () if content.isascii() else ["BODY=8BITMIME"]
            self.assertEqual(client.sendmail(USER, [STRANGER], content, options), {})

    def test_many(self):
        self.start_sink()
        self.send(*(letter(f"m{number}", sender=USER).as_bytes() for number in range(300)))
        subjects = collections.Counter(parse(content)["Subject"] for _, content in self.wait_for_mails(300))
        self.assertEqual(subjects, collections.Counter(f"m{number}" for number in range(300)))
        checked("300 mails, each of them once")

    def test_no_extensions(self):
        self.start_sink("-e")
        self.send(letter("old", sender=USER).as_bytes())
        (notes, content), = self.wait_for_mails(1)
        self.assertIn("X-Helo-Args: mail.example.com", notes)
        self.assertNotIn("SIZE=", notes)
        self.assertEqual(parse(content)["Subject"], "old")
        checked("a server that knows only HELO")

    def test_no_eight_bit(self):
        self.start_sink("-8")
        self.send(eight_bit_letter(USER, STRANGER))
        # RFC 6152, 3: it is sent back, for nothing here makes it 7-bit.
        self.assertIn("Status: 5.6.3", delivery_status(self.wait_for_message("Undelivered mail")))
        self.send(letter("seven", sender=USER).as_bytes())
        (_, content), = self.wait_for_mails(1)
        self.assertEqual(parse(content)["Subject"], "seven")
        checked("a server without 8BITMIME gets no octets above 127")

    def test_refusals(self):
        self.start_sink("-f", "RCPT")
        self.send(letter("x", sender=USER).as_bytes())
        self.wait_for_message("Undelivered mail")
        self.wait_for_empty_queue()
        checked("a server that refuses each recipient")


if __name__ == "__main__":
    unittest.main(verbosity=2)
