"""Python's smtplib: what scripts and web applications send with."""

import email.policy
import hashlib
import os
import smtplib
import ssl
import unittest

from tests.interop.interop_case import PASSWORD, USER, checked
from tests.interop.smtp_case import STRANGER, SmtpInteropTestCase, letter, without_trace

LIMIT = 60
MAX_SIZE = 30 << 20
COMPOSED_UTF8 = email.policy.SMTPUTF8
REMOTE = "jörg@example.com"


class SmtplibTest(SmtpInteropTestCase):

    def configure(self, config):
        config["smtp"]["max_message_size"] = MAX_SIZE

    def connect(self, listener="smtp"):
        """Checks the certificate wherever there is one."""
        context = ssl.create_default_context(cafile=self.certificate)
        kind, options = smtplib.SMTP, {}
        if listener == "smtps":
            kind, options = smtplib.SMTP_SSL, {"context": context}
        client = kind("localhost", self.server.port(listener), timeout=LIMIT,
                      local_hostname="client.remote.test", **options)
        self.addCleanup(client.close)
        if listener == "submission":
            client.starttls(context=context)
        return client

    def log_in(self, listener="submission"):
        client = self.connect(listener)
        client.login(USER, PASSWORD)
        return client

    def test_commands(self):
        client = self.connect()
        client.ehlo()
        for keyword in ("pipelining", "8bitmime", "smtputf8", "chunking", "binarymime", "dsn",
                        "enhancedstatuscodes", "starttls"):
            self.assertTrue(client.has_extn(keyword), keyword)
        self.assertEqual(client.esmtp_features["size"], str(MAX_SIZE))
        self.assertFalse(client.has_extn("auth"))
        self.assertEqual(client.noop()[0], 250)
        self.assertEqual(client.rset()[0], 250)
        self.assertEqual(client.verify(USER)[0], 252)
        self.assertIn(b"RCPT", client.help())
        self.assertEqual(client.docmd("EXPN", "list")[0] // 100, 5)
        self.assertEqual(client.quit()[0], 221)
        checked("EHLO's keywords, NOOP, RSET, VRFY, HELP, QUIT")

    def test_log_in(self):
        for listener in ("submission", "smtps"):
            client = self.connect(listener)
            client.ehlo()
            client.user, client.password = USER, PASSWORD
            self.assertEqual(client.auth("PLAIN", client.auth_plain)[0], 235)
            client = self.connect(listener)
            client.ehlo()
            client.user, client.password = USER, PASSWORD
            self.assertEqual(client.auth("LOGIN", client.auth_login)[0], 235)
            client.send_message(letter(listener, sender=USER))
        self.assertEqual(sorted(self.subjects()), ["smtps", "submission"])
        with self.assertRaises(smtplib.SMTPAuthenticationError) as caught:
            self.connect("submission").login(USER, "wrong")
        self.assertEqual(caught.exception.smtp_code, 535)
        with self.assertRaises(smtplib.SMTPNotSupportedError):
            self.connect("smtp").login(USER, PASSWORD)
        checked("AUTH PLAIN and LOGIN with STARTTLS and with TLS from the start")

    def test_several_recipients(self):
        eve = self.add_reader("eve@example.com")
        message = letter("several", sender=USER)
        refused = self.log_in().send_message(
            message, to_addrs=[USER, "nobody@example.com", "eve@example.com", "eve+lists@example.com"])
        self.assertEqual({address: reply[0] for address, reply in refused.items()},
                         {"nobody@example.com": 550})
        self.received("several")
        self.received("several", eve)
        with self.assertRaises(smtplib.SMTPRecipientsRefused):
            self.connect().send_message(letter("none"), to_addrs=["nobody@example.com"])
        checked("one message to several, of whom one is not known")

    def test_utf8(self):
        reader = self.add_reader(REMOTE)
        client = self.connect()
        message = letter("Grüße aus Köln", sender="Zoë <zoë@remote.test>", recipient=REMOTE,
                         text="Schöne Grüße, 你好\n", policy=COMPOSED_UTF8)
        self.assertEqual(client.send_message(message), {})
        stored, = self.messages(reader)
        self.assertEqual(without_trace(stored), message.as_bytes(policy=COMPOSED_UTF8))
        self.assertRegex(stored, rb"with UTF8SMTP\s")
        self.assertTrue(stored.startswith("Return-Path: <zoë@remote.test>".encode()), stored[:100])
        with self.assertRaises(smtplib.SMTPRecipientsRefused) as caught:
            client.sendmail(STRANGER, [REMOTE.encode().decode("latin-1")], b"Subject: x\r\n\r\n",
                            mail_options=["BODY=8BITMIME"])
        self.assertEqual(caught.exception.recipients.popitem()[1][0], 553)
        checked("SMTPUTF8: addresses, subject and names that are not ASCII")

    def test_pipelined(self):
        client = self.connect()
        client.ehlo()
        content = letter("group").as_bytes()
        group = f"MAIL FROM:<{STRANGER}> SIZE={len(content)}\r\nRCPT TO:<{USER}>\r\nDATA\r\n"
        client.send(group.encode())
        self.assertEqual([client.getreply()[0] for _ in range(3)], [250, 250, 354])
        end = content + b".\r\n"
        # The next transaction in the same octets as the end of this one.
        client.send(end + group.encode())
        self.assertEqual([client.getreply()[0] for _ in range(4)], [250, 250, 250, 354])
        client.send(letter("second").as_bytes() + b".\r\nNOOP\r\nQUIT\r\n")
        self.assertEqual([client.getreply()[0] for _ in range(3)], [250, 250, 221])
        self.assertEqual(sorted(self.subjects()), ["group", "second"])
        checked("several commands in one go, and the next transaction behind the end of data")

    def test_large(self):
        message = letter("large", sender=USER)
        message.add_attachment(os.urandom(18 << 20), "application", "octet-stream", filename="large.bin")
        content = message.as_bytes()
        self.assertGreater(len(content), 24 << 20)
        client = self.log_in()
        client.send_message(message)
        stored, = self.messages()
        self.assertEqual(hashlib.sha256(without_trace(stored)).digest(), hashlib.sha256(content).digest())
        with self.assertRaises(smtplib.SMTPSenderRefused) as caught:
            client.sendmail(USER, [USER], content + b"x" * (MAX_SIZE - len(content)) + b"\r\n")
        self.assertEqual(caught.exception.smtp_code, 552)
        client.send_message(letter("after", sender=USER))
        self.received("after")
        checked(f"a message of {len(content)} octets; one beyond the limit is refused at MAIL")

    def test_many_on_one_connection(self):
        client = self.log_in("smtps")
        for number in range(100):
            client.send_message(letter(f"m{number}", sender=USER))
        self.assertEqual(len(self.subjects()), 100)
        checked("100 messages on one connection")


if __name__ == "__main__":
    unittest.main(verbosity=2)
