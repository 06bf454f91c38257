"""A Postfix of a test's own: configuration, queue and ports are not those of the machine's."""

import glob
import os
import re
import shutil
import subprocess
import tempfile

from tests.e2e.processes import HOST, STOP_LIMIT, ServerProcess
from tests.interop.smtp_case import eventually


def program(name):
    """Where one of Postfix's is; None: nowhere."""
    return shutil.which(name, path=os.environ.get("PATH", os.defpath) + ":/usr/sbin:/sbin")


# Why a test that needs smtp-source and smtp-sink has to be skipped; empty: it has not.
NOT_INSTALLED = "" if program("postfix") else "Postfix is not installed (see tools/setup)"
# The same for one that starts Postfix, which runs its programs as root and as users of its own.
UNUSABLE = NOT_INSTALLED or ("" if os.geteuid() == 0 else "Postfix needs root")

# Who may write mailboxes.
USER, UID = "nobody", 65534

SETTINGS = {
    "compatibility_level": "3.6",
    "myhostname": "postfix.test",
    "mydestination": "",
    "alias_maps": "",
    "alias_database": "",
    "local_recipient_maps": "",
    "inet_interfaces": HOST,
    "inet_protocols": "ipv4",
    "mynetworks": "127.0.0.0/8",
    "virtual_uid_maps": f"static:{UID}",
    "virtual_gid_maps": f"static:{UID}",
    # Not even for a moment: a test waits for what comes next.
    "minimal_backoff_time": "1s",
    "maximal_backoff_time": "2s",
    "queue_run_delay": "1s",
}

SUPERVISOR = """
trap 'kill "$program"; wait "$program"; exit' TERM
"$@" &
program=$!
wait "$program"
"""

SERVICES = """
{port}    inet  n  -  n  -      -  smtpd
cleanup   unix  n  -  n  -      0  cleanup
qmgr      unix  n  -  n  300    1  qmgr
rewrite   unix  -  -  n  -      -  trivial-rewrite
bounce    unix  -  -  n  -      0  bounce
defer     unix  -  -  n  -      0  bounce
trace     unix  -  -  n  -      0  bounce
verify    unix  -  -  n  -      1  verify
proxymap  unix  -  -  n  -      -  proxymap
smtp      unix  -  -  n  -      -  smtp
lmtp      unix  -  -  n  -      -  lmtp
error     unix  -  -  n  -      -  error
retry     unix  -  -  n  -      -  error
virtual   unix  -  n  n  -      -  virtual
anvil     unix  -  -  n  -      1  anvil
scache    unix  -  -  n  -      1  scache
tlsmgr    unix  -  -  n  1000?  1  tlsmgr
postlog   unix-dgram n - n -    1  postlogd
"""


def supervised(*command):
    """A command for ServerProcess that changes its user, and so would outlive a test that is killed."""
    return ["setpriv", "--pdeathsig", "TERM", "sh", "-c", SUPERVISOR, "sh", *command]


class Postfix:
    """Takes mail at `port`, and has mailboxes for `addresses`. `settings` are those of main.cf."""

    def __init__(self, settings, addresses, port):
        # Not in the test's own folder, which its users may not be able to reach.
        self.folder = tempfile.mkdtemp(prefix="rmail-postfix-", dir="/tmp")
        self.port = port
        self._process = None
        os.chmod(self.folder, 0o755)
        for name, owner in (("etc", "root"), ("queue", "root"), ("data", "postfix"), ("mail", USER)):
            os.mkdir(self._path(name))
            shutil.chown(self._path(name), owner)
        boxes = ", ".join(f"{{{address} = {address}/}}" for address in addresses)
        domains = sorted({address.partition("@")[2] for address in addresses})
        self._settings = dict(
            SETTINGS, queue_directory=self._path("queue"), data_directory=self._path("data"),
            maillog_file=self._path("log"), maillog_file_prefixes=self.folder,
            virtual_mailbox_base=self._path("mail"), virtual_mailbox_domains=" ".join(domains),
            virtual_mailbox_maps=f"inline:{{ {boxes} }}" if boxes else "", **settings)
        self._write("main.cf", "".join(f"{name} = {value}\n" for name, value in self._settings.items()))
        self._write("master.cf", SERVICES.format(port=self.port))

    def _path(self, name):
        return os.path.join(self.folder, name)

    def _write(self, name, text):
        with open(self._path(os.path.join("etc", name)), "w", encoding="utf-8") as file:
            file.write(text)

    def start(self):
        self._command("check")
        daemons = subprocess.run(
            [program("postconf"), "-c", self._path("etc"), "-h", "daemon_directory"], check=True,
            capture_output=True, text=True, timeout=STOP_LIMIT).stdout.strip()
        self._process = ServerProcess(
            "postfix", supervised(os.path.join(daemons, "master"), "-s", "-c", self._path("etc")),
            self.folder)
        eventually(lambda: "daemon started" in self.log() or not self._process.is_running(),
                   "Postfix does not start")
        if not self._process.is_running():
            raise RuntimeError(f"Postfix ended with {self._process.wait()}:\n"
                               f"{self._process.log()}\n{self.log()}")
        return self

    def configure(self, **settings):
        """Changes main.cf, for all that it starts from now on."""
        self._settings.update(settings)
        self._write("main.cf", "".join(f"{name} = {value}\n" for name, value in self._settings.items()))
        self._command("reload")

    def _command(self, name):
        subprocess.run([program("postfix"), "-c", self._path("etc"), name], check=True, timeout=STOP_LIMIT,
                       capture_output=True)

    def kill_all(self):
        """Also after a start that failed. All programs of Postfix end with its master."""
        if self._process is not None:
            if self._process.is_running():
                self._process.terminate()
            else:
                self._process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def logs(self):
        """The last lines."""
        return "--- postfix\n" + "\n".join(self.log().splitlines()[-40:])

    def log(self):
        try:
            with open(self._path("log"), encoding="utf-8", errors="replace") as file:
                return file.read()
        except FileNotFoundError:
            return ""

    def wait_for_log(self, pattern, count=1):
        """The first line that matches, once `count` do."""
        def lines():
            found = [line for line in self.log().splitlines() if re.search(pattern, line)]
            return found if len(found) >= count else None
        return eventually(lines, f"Postfix does not log {pattern}")[0]

    def queue(self):
        """How many messages it holds."""
        return sum(os.path.isfile(path) for name in ("incoming", "active", "deferred")
                   for path in glob.glob(self._path(f"queue/{name}/**"), recursive=True))

    def wait_for_messages(self, address, count=1):
        """All in a mailbox, once there are `count`."""
        return eventually(lambda: (found := self.messages(address))[count - 1:] and found,
                          f"{address} has not {count} messages")

    def messages(self, address):
        """What is in a mailbox, with CRLF."""
        found = []
        for path in sorted(glob.glob(self._path(f"mail/{address}/new/*"))):
            with open(path, "rb") as file:
                found.append(file.read().replace(b"\n", b"\r\n"))
        return found
