"""A configured rmail: `rmail serve`, or the four services as processes of their own."""

import json
import os
import subprocess

from tests.e2e.processes import HOST, ServerProcess, binary, free_port

HOSTNAME = "mail.example.com"
TOKEN_SECRET = "a secret that only these tests know"
SERVICES = {
    "store": "services/store/rmail-store",
    "smtp": "services/smtp/rmail-smtp",
    "imap": "services/imap/rmail-imap",
    "exchange": "services/exchange/rmail-exchange",
}
COMMAND_LIMIT = 60


def make_certificate(folder, name="test", names=f"DNS:{HOSTNAME}"):
    """A self-signed pair for the names, quick to make. Returns its files."""
    cert, key = (os.path.join(folder, f"{name}.{kind}.pem") for kind in ("cert", "key"))
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
         "-subj", f"/CN={name}", "-addext", f"subjectAltName={names}", "-days", "2",
         "-keyout", key, "-out", cert],
        check=True, capture_output=True, timeout=COMMAND_LIMIT)
    return cert, key


class Deployment:
    """`folder` gets the configuration, mail_root and logs."""

    def __init__(self, folder):
        self.folder = folder
        self.config_path = os.path.join(folder, "config.json")
        self.mail_root = os.path.join(folder, "mail")
        self.processes = {}
        self._ports = {}
        self.config = {
            "hostname": HOSTNAME,
            "mail_root": self.mail_root,
            "domains": ["example.com"],
            "smtp": {"host": HOST, "port": 0, "submission_port": 0, "smtps_port": 0,
                     "max_messages_per_connection": 100000},
            "imap": {"host": HOST, "port": 0, "imaps_port": 0},
            "exchange_api": {"host": HOST, "port": 0, "secure_port": 0,
                             "token_secret": TOKEN_SECRET},
            "store": {"listen": f"{HOST}:{free_port()}"},
        }

    def use_quick_certificate(self):
        """Instead of the 4096-bit RSA key that rmail makes."""
        cert, key = make_certificate(self.folder)
        self.config["tls"] = {"cert_file": cert, "key_file": key}

    def write_config(self, config=None, path=None):
        with open(path or self.config_path, "w", encoding="utf-8") as file:
            json.dump(self.config if config is None else config, file, indent=2)

    # Accounts.

    def rmail(self, *arguments, stdin="", check=True):
        """Runs the command line with this configuration."""
        done = subprocess.run(
            [binary("tools/rmail/rmail"), *arguments, "--config", self.config_path],
            input=stdin, capture_output=True, text=True, timeout=COMMAND_LIMIT, check=False)
        if check and done.returncode != 0:
            raise RuntimeError(f"rmail {arguments} ended with {done.returncode}: {done.stderr}")
        return done

    def add_account(self, address, password, *options):
        self.rmail("user", "add", address, "--password-stdin", *options, stdin=password + "\n")

    # Processes. One that is killed can be started again under its name.

    def launch(self, name, config_path=None):
        """Starts "serve" or one of SERVICES, without waiting for it."""
        if name == "serve":
            command = [binary("tools/rmail/rmail"), "serve"]
        else:
            command = [binary(SERVICES[name])]
        command += ["--config", config_path or self.config_path]
        self.processes[name] = ServerProcess(name, command, self.folder)
        return self.processes[name]

    def start(self, name):
        process = self.launch(name).wait_until_ready()
        self._ports.update(process.listeners)
        return process

    def start_all(self, split):
        self.write_config()
        for name in SERVICES if split else ["serve"]:
            self.start(name)

    def kill(self, name):
        self.processes[name].kill()

    def kill_all(self):
        for process in self.processes.values():
            process.kill()

    def port(self, listener):
        """Of "imaps", say; while its process is down, where it was."""
        return self._ports[listener]

    def logs(self, lines=30):
        """The last lines that each process wrote."""
        text = ""
        for name, process in self.processes.items():
            tail = "\n".join(process.log().splitlines()[-lines:])
            text += f"--- {name} (pid {process.pid}, running: {process.is_running()})\n{tail}\n"
        return text
