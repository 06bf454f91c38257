"""The frame of the tests that send mail: what they send, and what has to arrive."""

import email.message
import email.policy
import email.utils
import imaplib
import json
import time

from tests.e2e import readers
from tests.e2e.processes import HOST
from tests.e2e.senders import any_certificate
from tests.interop.interop_case import CLIENT_LIMIT, PASSWORD, USER, InteropTestCase

# Somebody who has no account here, and whose domain is not served here.
STRANGER = "bob@remote.test"
POLL = 0.05


def letter(subject, sender=STRANGER, recipient=USER, text="Hello.\n", policy=email.policy.SMTP, cte=None):
    """A message as its author's program makes it."""
    made = email.message.EmailMessage(policy=policy)
    made["From"] = sender
    made["To"] = recipient
    made["Subject"] = subject
    made["Message-ID"] = email.utils.make_msgid(domain="client.remote.test")
    made["Date"] = email.utils.formatdate()
    made.set_content(text, cte=cte)
    return made


def eight_bit_letter(sender=STRANGER, recipient=USER):
    """With octets above 127 as they are, and dots."""
    content = letter("eight", sender, recipient, text="Grüße\n.\n..x\n", cte="8bit").as_bytes()
    if content.isascii():
        raise AssertionError(content)
    return content


def eventually(condition, what, limit=CLIENT_LIMIT):
    """What `condition()` returns as soon as that is true."""
    deadline = time.monotonic() + limit
    while not (found := condition()):
        if time.monotonic() > deadline:
            raise TimeoutError(what)
        time.sleep(POLL)
    return found


class SmtpInteropTestCase(InteropTestCase):

    def add_reader(self, address):
        """One more account; returns its imaplib connection."""
        self.server.add_account(address, PASSWORD)
        client = imaplib.IMAP4_SSL(HOST, self.port, ssl_context=any_certificate(), timeout=CLIENT_LIMIT)
        self.addCleanup(client.shutdown)
        # imaplib's LOGIN takes only ASCII.
        client.authenticate("PLAIN", lambda _: f"\0{address}\0{PASSWORD}".encode())
        return client

    def messages(self, reader=None, mailbox="INBOX"):
        """All messages of a mailbox, as they were stored."""
        client = reader or self.imap
        readers.check(client.select(mailbox, readonly=True))
        if readers.status(client, mailbox)["MESSAGES"] == 0:
            return []
        answer = readers.check(client.uid("FETCH", "1:*", "BODY.PEEK[]"))
        return [part[1] for part in answer if isinstance(part, tuple)]

    def received(self, subject, reader=None):
        """The one message with that subject, as email.message.EmailMessage."""
        found = [message for message in map(parse, self.messages(reader)) if message["Subject"] == subject]
        self.assertEqual(len(found), 1, f"{len(found)} messages with the subject {subject}")
        return found[0]

    def add_server(self, server):
        """One with logs() and kill_all(): it ends with the test; its logs are shown when that fails."""
        self._deployments.append(server)
        return server

    def queue(self):
        """What `rmail queue list` tells of messages for other servers."""
        return json.loads(self.server.rmail("queue", "list", "--json").stdout)

    def wait_for_empty_queue(self):
        eventually(lambda: self.queue() == [], "something is left in the queue")

    def wait_for_notice(self, envelope_id=None):
        """The one notice of success (RFC 3464) in the inbox, for the mail with that ENVID."""
        def notices():
            found = [parse(message) for message in self.messages()]
            return [message for message in found if message.get_content_type() == "multipart/report"]
        notice, = eventually(notices, "no notice arrives")
        status = delivery_status(notice)
        self.assertIn("Action: delivered", status)
        if envelope_id is not None:
            self.assertIn(f"Original-Envelope-Id: {envelope_id}", status)
        return notice

    def wait_for_message(self, subject, reader=None):
        """The same for one that may be on its way."""
        eventually(lambda: any(parse(message)["Subject"] == subject for message in self.messages(reader)),
                   f"no message with the subject {subject} arrives")
        return self.received(subject, reader)


def parse(content):
    return email.message_from_bytes(content, policy=email.policy.SMTPUTF8)


def delivery_status(report):
    """The fields of RFC 3464 of a multipart/report, as one text."""
    if report.get_content_type() != "multipart/report":
        raise AssertionError(f"no report: {report}")
    part, = (part for part in report.walk()
             if part.get_content_type() in ("message/delivery-status", "message/global-delivery-status"))
    return "\n".join(str(fields) for fields in part.get_payload())


def without_trace(content):
    """A stored message without the fields that servers have put in front of it."""
    while content.startswith((b"Return-Path:", b"Received:", b"Delivered-To:", b"X-Original-To:",
                              b"Authentication-Results:")):
        end = content.index(b"\r\n") + 2
        while content[end:end + 1] in (b" ", b"\t"):
            end = content.index(b"\r\n", end) + 2
        content = content[end:]
    return content
