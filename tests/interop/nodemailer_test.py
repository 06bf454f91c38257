"""nodemailer (what web applications in JavaScript send with): pools, attachments, tokens."""

import base64
import json
import os
import unittest

from tests.e2e.rest import RestClient
from tests.interop import nodejs
from tests.interop.interop_case import PASSWORD, USER, checked
from tests.interop.smtp_case import STRANGER, SmtpInteropTestCase

LOGIN = {"user": USER, "pass": PASSWORD}


class NodemailerTest(SmtpInteropTestCase):

    def send(self, listener, *mails, verify=False, **options):
        """What nodejs/nodemailer.js says of each mail."""
        with open(self.certificate, encoding="ascii") as file:
            authority = file.read()
        transport = {"host": "localhost", "port": self.server.port(listener), "secure": listener == "smtps",
                     "name": "client.remote.test", "tls": {"ca": authority},
                     "requireTLS": listener == "submission", **options}
        work = {"transport": transport, "mails": mails, "verify": verify}
        said = self.run_client(nodejs.command("nodemailer.js"), input=json.dumps(work).encode(),
                               environment=nodejs.environment("nodemailer.js"))
        return json.loads(said)

    def accept(self, listener, *mails, **options):
        """The same for mails that must be accepted."""
        for result in self.send(listener, *mails, **options):
            self.assertNotIn("error", result)
            self.assertEqual(result["rejected"], [])

    def test_ways_in(self):
        mail = {"from": USER, "to": USER, "text": "Hello."}
        self.accept("smtp", dict(mail, **{"from": STRANGER, "subject": "server"}))
        for method in ("PLAIN", "LOGIN"):
            login = {"auth": LOGIN, "authMethod": method}
            self.accept("submission", dict(mail, subject=f"s-{method}"), verify=True, **login)
            self.accept("smtps", dict(mail, subject=f"t-{method}"), **login)
        self.assertEqual(sorted(self.subjects()), ["s-LOGIN", "s-PLAIN", "server", "t-LOGIN", "t-PLAIN"])
        checked("port 25, 587 with STARTTLS, 465; AUTH PLAIN and LOGIN; verify()")

    def test_token(self):
        token = RestClient(self.server.port("https")).log_in(USER, PASSWORD).token
        auth = {"type": "OAuth2", "user": USER, "accessToken": token}
        self.accept("smtps", {"from": USER, "to": USER, "subject": "token", "text": "x"}, auth=auth)
        self.received("token")
        refused, = self.send("smtps", {"from": USER, "to": USER, "subject": "x", "text": "x"},
                             auth=dict(auth, accessToken="x" + token))
        # It tells that it has no way to a new token.
        self.assertEqual(refused["code"], "EAUTH")
        self.assertEqual(list(self.subjects()), ["token"])
        checked("AUTH XOAUTH2 with a token of the REST login")

    def test_message(self):
        reader = self.add_reader("jörg@example.com")
        attached = os.urandom(3 << 20)
        self.accept(
            "smtps",
            {"from": {"name": "Alice Müller", "address": USER}, "to": "Jörg <jörg@example.com>",
             "subject": "Grüße – 你好", "text": "Schön\n.\n..\nEnde", "html": "<p>Sch&ouml;n</p>",
             "attachments": [{"filename": "Bild ü.bin", "content": base64.b64encode(attached).decode(),
                              "encoding": "base64"}]},
            auth=LOGIN)
        message = self.received("Grüße – 你好", reader)
        text, = (part for part in message.walk() if part.get_content_type() == "text/plain")
        self.assertEqual(text.get_content().splitlines(), ["Schön", ".", "..", "Ende"])
        self.assertIn("Müller", message["From"])
        part, = (part for part in message.walk() if part.get_filename() == "Bild ü.bin")
        self.assertEqual(part.get_content(), attached)
        self.assertRegex(message["Received"], r"with UTF8SMTPSA\s")
        checked("names that are not ASCII, alternatives, an attachment")

    def test_notice(self):
        self.accept("smtps", {"from": USER, "to": USER, "subject": "notice", "text": "x",
                              "dsn": {"id": "some id", "return": "headers", "notify": ["success"],
                                      "recipient": USER}}, auth=LOGIN)
        self.received("notice")
        self.wait_for_notice("some id")
        checked("DSN: a notice of success")

    def test_pool(self):
        mails = [{"from": USER, "to": USER, "subject": f"m{number}", "text": "x" * number}
                 for number in range(200)]
        self.accept("smtps", *mails, auth=LOGIN, pool=True, maxConnections=8, maxMessages=7)
        self.assertEqual(set(self.subjects()), {f"m{number}" for number in range(200)})
        checked("200 mails through a pool of 8 connections, each for 7 mails")

    def test_refusals(self):
        mail = {"from": USER, "to": USER, "subject": "some", "text": "x"}
        some, = self.send("smtps", dict(mail, to=[USER, "nobody@example.com"]), auth=LOGIN)
        self.assertEqual((some["accepted"], some["rejected"]), ([USER], ["nobody@example.com"]))
        self.received("some")
        none, wrong, other = (
            self.send("smtps", dict(mail, to="nobody@example.com"), auth=LOGIN)[0],
            self.send("smtps", mail, auth=dict(LOGIN, **{"pass": "wrong"}))[0],
            self.send("smtps", dict(mail, **{"from": "eve@example.com"}), auth=LOGIN)[0])
        self.assertEqual((none["code"], none["responseCode"]), ("EENVELOPE", 550))
        self.assertEqual((wrong["code"], wrong["responseCode"]), ("EAUTH", 535))
        self.assertEqual((other["code"], other["responseCode"]), ("EENVELOPE", 553))
        checked("recipients, passwords and senders that are refused")


if __name__ == "__main__":
    unittest.main(verbosity=2)
