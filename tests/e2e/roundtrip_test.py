"""A mail comes out as it went in, byte for byte, whoever sends and whoever reads.

    roundtrip_test serve|split
"""

import re
import sys
import time
import unittest

from tests.e2e import readers
from tests.e2e.messages import DOTS, base64_body, message, messages
from tests.e2e.raw_smtp import RawSmtp
from tests.e2e.rest import RestClient
from tests.e2e.senders import SENDERS, CurlSender, Route, SmtplibSender
from tests.e2e.test_case import E2eTestCase, say

SPLIT = False
ALICE = "alice@example.com"
STRANGER = "sender@example.net"
PASSWORD = "correct horse"
LOGIN = (ALICE, PASSWORD)
ROUTES = (
    Route("submission", starttls=True, login=LOGIN),
    Route("smtps", tls=True, login=LOGIN),
    Route("smtp"),
)
# What the server puts in front (RFC 5321, 4.4).
TRACE = re.compile(rb"Return-Path: <(?:alice@example\.com|sender@example\.net)>\r\n"
                   rb"Received: from [^\r\n]+\r\n(?:[ \t][^\r\n]+\r\n)+")
BIG_MESSAGE = 40_000_000
# Nothing holds a whole message in memory.
MEMORY_LIMIT = 60 << 20


class RoundtripTest(E2eTestCase):

    def setUp(self):
        self.server = self.new_deployment()
        self.server.use_quick_certificate()
        self.server.write_config()
        self.server.add_account(ALICE, PASSWORD)
        self.server.start_all(SPLIT)
        self.imap = readers.connect(self.server.port("imaps"), ALICE, PASSWORD)
        self.addCleanup(self.imap.shutdown)

    def next_uid(self):
        return readers.status(self.imap)["UIDNEXT"]

    def send(self, sender, route, content):
        """Returns the UID that the mail got."""
        uid = self.next_uid()
        # On port 25, who has an address of ours must not use it.
        address = ALICE if route.login else STRANGER
        sender.send(self.server.port(route.listener), route, address, ALICE, content)
        self.assertEqual(self.next_uid(), uid + 1, "one mail, one message")
        return uid

    def check_content(self, stored, content, what):
        trace = TRACE.match(stored)
        self.assertIsNotNone(trace, f"{what}: no trace fields in {stored[:500]!r}")
        body = stored[trace.end():]
        if body == content:
            return
        at = next((i for i, (a, b) in enumerate(zip(body, content)) if a != b),
                  min(len(body), len(content)))
        self.fail(f"{what}: {len(content)} octets were sent, {len(body)} stored; they differ at {at}: "
                  f"{content[at - 20:at + 20]!r} became {body[at - 20:at + 20]!r}")

    def check_stored(self, uid, content, what):
        for name, read in readers.READERS.items():
            stored = read(self.server.port("imaps"), ALICE, PASSWORD, uid)
            self.check_content(stored, content, f"{what}, read with {name}")

    def check_sender(self, make_sender):
        sender = make_sender(self.folder)
        for route in ROUTES:
            for name, content in messages(f"{sender.name}-{route.listener}").items():
                uid = self.send(sender, route, content)
                self.check_stored(uid, sender.as_sent(content), f"{name} to {route.listener}")

    def test_curl(self):
        self.check_sender(SENDERS[0])

    def test_smtplib(self):
        self.check_sender(SENDERS[1])

    def test_swaks(self):
        self.check_sender(SENDERS[2])

    def test_octet_by_octet(self):
        content = message("octets", DOTS)
        uid = self.next_uid()
        with RawSmtp(self.server.port("smtp")) as smtp:
            smtp.begin_data(STRANGER, ALICE)
            stuffed = content.replace(b"\r\n.", b"\r\n..") + b".\r\n"
            for octet in stuffed:
                smtp.send(bytes([octet]))
            smtp.expect(250)
        self.check_stored(uid, content, "octet by octet")

    def test_bare_newlines_are_refused(self):
        smuggled = b"MAIL FROM:<sender@example.net>\r\nRCPT TO:<alice@example.com>\r\nDATA\r\n"
        before = readers.status(self.imap)
        for wire in (b"a\nb", b"a\rb", b"\r", b"\n", b"\r\n.\n", b"\n.\n" + smuggled, b"\n.\r\n" + smuggled,
                     b"\r.\r\n" + smuggled, b"\r\n.\n" + smuggled, b"\r\n.\r" + smuggled):
            with self.subTest(wire=wire), RawSmtp(self.server.port("smtp")) as smtp:
                smtp.begin_data(STRANGER, ALICE)
                smtp.send(b"Subject: bare\r\n\r\n" + wire + b"\r\n.\r\n")
                self.assertRegex(smtp.expect(550), r"^5\.6\.11 ")
                # The next reply is that of the next command: nothing in the message was one.
                smtp.command("XYZZY", 500)
        self.assertEqual(readers.status(self.imap), before)

    def test_rest_shows_what_imap_shows(self):
        sender = SmtplibSender(self.folder)
        sent = messages("rest")
        uids = {self.send(sender, ROUTES[1], content): name for name, content in sent.items()}
        readers.check(self.imap.select("INBOX"))
        readers.check(self.imap.uid("STORE", "2:3", "+FLAGS", r"(\Seen \Flagged)"))
        in_imap = readers.metadata(self.imap)
        rest = RestClient(self.server.port("https")).log_in(ALICE, PASSWORD)

        inbox = next(f for f in rest.get("/folders")["folders"] if f["name"] == "INBOX")
        counts = readers.status(self.imap)
        self.assertEqual((inbox["messages"], inbox["unseen"], inbox["uid_next"], inbox["uid_validity"]),
                         (counts["MESSAGES"], counts["UNSEEN"], counts["UIDNEXT"],
                          counts["UIDVALIDITY"]))
        self.assertEqual(inbox["size"], sum(size for _, _, size in in_imap.values()))
        by_path = rest.all_messages("INBOX", page_size=3)
        self.assertEqual(by_path, rest.all_messages(inbox["id"], page_size=50))
        # Newest first.
        self.assertEqual([m["uid"] for m in by_path], sorted(uids, reverse=True))
        for summary in by_path:
            flags, _, size = in_imap[summary["uid"]]
            self.assertEqual(summary["size"], size)
            self.assertEqual((summary["seen"], summary["flagged"]),
                             (rb"\Seen" in flags, rb"\Flagged" in flags))
            name = uids[summary["uid"]]
            self.assertEqual(summary["subject"], f"rest-{name}")
            detail = rest.get(f"/messages/{summary['id']}")
            self.assertEqual(detail["message_id"], f"<rest-{name}@client.example.com>")
            self.assertEqual([a["address"] for a in detail["from"]], [ALICE])
            raw = rest.request(f"/messages/{summary['id']}/raw")
            self.check_content(raw, sender.as_sent(sent[name]), f"{name}, read with REST")

    def test_forty_megabytes(self):
        content = message("big", base64_body(BIG_MESSAGE))
        processes = self.server.processes.values()
        # What a first message costs once is not the point.
        self.check_stored(self.send(CurlSender(self.folder), ROUTES[1], message("small", b"x\r\n")),
                          message("small", b"x\r\n"), "small")
        before = {process.name: process.memory() for process in processes}
        for process in processes:
            process.reset_peak_memory()
        start = time.monotonic()
        uid = self.send(CurlSender(self.folder), ROUTES[1], content)
        sent = time.monotonic()
        self.check_stored(uid, content, "40 MB")
        read = time.monotonic()
        say(f"{len(content)} octets: sent in {sent - start:.2f} s, read twice in {read - sent:.2f} s")
        for process in processes:
            growth = process.memory("VmHWM") - before[process.name]
            say(f"{process.name}: {before[process.name] >> 20} MiB, {growth >> 20} MiB more at the peak")
            if not process.is_sanitized():
                self.assertLess(growth, MEMORY_LIMIT, process.name)


if __name__ == "__main__":
    SPLIT = {"serve": False, "split": True}[sys.argv.pop()]
    unittest.main(verbosity=2)
