"""A process's life: configuration, signals, exit codes."""

import json
import os
import signal
import socket
import ssl
import time
import unittest

from tests.e2e import readers
from tests.e2e.deployment import SERVICES, make_certificate
from tests.e2e.processes import HOST
from tests.e2e.raw_smtp import RawSmtp
from tests.e2e.test_case import E2eTestCase

ALICE = "alice@example.com"
PASSWORD = "correct horse"
# For something that happens at once.
SOON = 20


class ProcessTestCase(E2eTestCase):

    def setUp(self):
        self.server = self.new_deployment()
        self.server.use_quick_certificate()
        self.server.write_config()
        self.server.add_account(ALICE, PASSWORD)

    def imap(self):
        client = readers.connect(self.server.port("imaps"), ALICE, PASSWORD)
        self.addCleanup(client.shutdown)
        return client

    def wait_until(self, condition, what):
        deadline = time.monotonic() + SOON
        while not condition():
            self.assertLess(time.monotonic(), deadline, what)
            time.sleep(0.02)

    def served_certificate(self, listener):
        return ssl.get_server_certificate((HOST, self.server.port(listener)), timeout=SOON).split()


class HangupTest(ProcessTestCase):

    def setUp(self):
        super().setUp()
        self.process = self.server.start("serve")

    def test_new_certificate(self):
        cert, key = make_certificate(self.server.folder, "new")
        self.server.config["tls"] = {"cert_file": cert, "key_file": key}
        with open(cert, encoding="ascii") as file:
            expected = file.read().split()
        with readers.Idle(self.imap()) as idle:
            self.assertNotEqual(self.served_certificate("imaps"), expected)
            self.server.write_config()
            self.process.send_signal(signal.SIGHUP)
            for listener in ("imaps", "smtps", "https"):
                self.wait_until(lambda name=listener: self.served_certificate(name) == expected,
                                f"the old certificate at {listener}")
            self.deliver_one()
            idle.wait_for(b"EXISTS")

    def test_bad_configuration_changes_nothing(self):
        before = self.served_certificate("imaps")
        with readers.Idle(self.imap()) as idle:
            self.server.write_config({**self.server.config, "hostnam": "x"})
            self.process.send_signal(signal.SIGHUP)
            self.wait_until(lambda: '"hostnam" is not a key' in self.process.log(), "no complaint")
            missing = {"cert_file": "missing.pem", "key_file": "missing.pem"}
            self.server.write_config({**self.server.config, "tls": missing})
            self.process.send_signal(signal.SIGHUP)
            self.wait_until(lambda: self.process.log().count("old configuration stays") == 2,
                            "no complaint")
            self.deliver_one()
            idle.wait_for(b"EXISTS")
        self.assertEqual(self.served_certificate("imaps"), before)

    def deliver_one(self):
        with RawSmtp(self.server.port("smtp")) as smtp:
            smtp.begin_data("sender@example.net", ALICE)
            smtp.send(b"Subject: after SIGHUP\r\n\r\n.\r\n")
            smtp.expect(250)


class TerminateTest(ProcessTestCase):

    def test_sessions_are_told(self):
        process = self.server.start("serve")
        with RawSmtp(self.server.port("smtp")) as smtp, RawSmtp(self.server.port("smtp")) as sending:
            sending.begin_data("sender@example.net", ALICE)
            sending.send(b"Subject: under way\r\n\r\nThe first half\r\n")
            idle = readers.Idle(self.imap()).start()
            process.send_signal(signal.SIGTERM)
            self.assertEqual(smtp.reply()[0], 421)
            self.assertEqual(smtp.reply()[0], 0)
            # Nobody waits for a session of another protocol.
            idle.wait_for(b"* BYE", 5)
            # What was under way is finished.
            sending.send(b"The second half\r\n.\r\n")
            sending.expect(250)
            sending.expect(421)
            self.assertEqual(process.wait(), 0)
        self.server.start("serve")
        self.assertEqual(readers.status(self.imap())["MESSAGES"], 1)

    def test_a_command_has_ten_seconds(self):
        process = self.server.start("serve")
        with RawSmtp(self.server.port("smtp")) as sending:
            sending.begin_data("sender@example.net", ALICE)
            start = time.monotonic()
            self.assertEqual(process.terminate(), 0)
            self.assertGreater(time.monotonic() - start, 8)
            self.assertLess(time.monotonic() - start, 15)

    def test_every_service_ends_well(self):
        self.server.start_all(split=True)
        idle = readers.Idle(self.imap()).start()
        with RawSmtp(self.server.port("smtp")) as smtp:
            # Gateways end well also when their store is gone.
            self.assertEqual(self.server.processes["store"].terminate(), 0)
            self.assertEqual(self.server.processes["exchange"].terminate(), 0)
            self.assertEqual(self.server.processes["smtp"].terminate(), 0)
            self.assertEqual(smtp.reply()[0], 421)
            self.server.processes["imap"].send_signal(signal.SIGINT)
            idle.wait_for(b"* BYE")
            self.assertEqual(self.server.processes["imap"].wait(), 0)


class ConfigurationTest(ProcessTestCase):

    def check_refusal(self, name, config, *messages):
        self.server.write_config(config)
        process = self.server.launch(name)
        self.assertEqual(process.wait(), 1)
        for message in messages:
            self.assertIn(message, process.log())

    def test_bad_keys(self):
        good = self.server.config
        for name in ("serve", *SERVICES):
            self.check_refusal(name, {**good, "hostnam": "x"}, '"hostnam" is not a key')
        self.check_refusal("serve", {**good, "smtp": {"prot": 25}}, '"smtp.prot" is not a key')
        self.check_refusal("serve", {**good, "imap": {"port": "143"}}, '"imap.port" must be')
        self.check_refusal("serve", {**good, "tls": {"enabled": "yes"}}, '"tls.enabled" must be')
        self.check_refusal("serve", {**good, "tls": {"cert_file": "/missing", "key_file": "/missing"}},
                           "/missing")

    def test_port_that_is_taken(self):
        with socket.create_server((HOST, 0)) as taken:
            port = taken.getsockname()[1]
            self.check_refusal("serve", {**self.server.config, "smtp": {"host": HOST, "port": port}},
                               str(port))

    def test_no_configuration(self):
        os.remove(self.server.config_path)
        process = self.server.launch("serve")
        self.assertEqual(process.wait(), 1)
        self.assertIn("rmail init", process.log())

    def test_token_secret(self):
        self.server.config["exchange_api"]["token_secret"] = None
        self.server.write_config()
        for name in SERVICES:
            self.check_refusal(name, self.server.config, '"exchange_api.token_secret" must be set')
        self.server.start("serve").terminate()
        with open(self.server.config_path, encoding="utf-8") as file:
            written = json.load(file)
        secret = written["exchange_api"].pop("token_secret")
        self.assertGreaterEqual(len(secret), 32)
        del self.server.config["exchange_api"]["token_secret"]
        self.assertEqual(written, self.server.config)
        self.assertEqual(os.stat(self.server.config_path).st_mode & 0o777, 0o600)
        self.server.start("serve").terminate()
        with open(self.server.config_path, encoding="utf-8") as file:
            self.assertEqual(json.load(file)["exchange_api"]["token_secret"], secret)
        # Now the services can share it.
        for name in SERVICES:
            self.server.start(name)

    def test_init(self):
        fresh = self.new_deployment("fresh")
        self.assertEqual(fresh.rmail("init").returncode, 0)
        with open(fresh.config_path, encoding="utf-8") as file:
            written = json.load(file)
        self.assertEqual(os.stat(fresh.config_path).st_mode & 0o777, 0o600)
        self.assertTrue(os.path.exists(os.path.join(fresh.folder, "mailstore/tls/key.pem")))
        self.assertEqual(fresh.rmail("init").returncode, 0)
        with open(fresh.config_path, encoding="utf-8") as file:
            self.assertEqual(json.load(file), written)


if __name__ == "__main__":
    unittest.main(verbosity=2)
