"""A Ceph cluster of one machine, on loopback, with a CephFS that several clients mount: a real distributed file system.

One monitor, one manager, one OSD on a file, one metadata server, and a ceph-fuse process for each mount, all in the
foreground as children of this process. Run it as root where mounts and processes end with the caller (`unshare`, see
in_namespaces): then nothing is left behind, whatever ends it.
"""

import os
import shutil
import subprocess
import tempfile
import time
import uuid

from tests.e2e.processes import HOST, free_port

# Of one command, of a daemon's start, and of its end, in seconds.
COMMAND_LIMIT = 60
START_LIMIT = 90
STOP_LIMIT = 20
PAUSE = 0.1
# The OSD's file; it takes only as much of the disk as is written.
DISK_SIZE = 8 << 30
# A client that says nothing for so long is taken as dead, and what it had locked is free again (Ceph's minimum).
SESSION_TIMEOUT = 30

CONFIG = """\
[global]
fsid = {fsid}
mon host = [v2:{host}:{port}]
public addr = {host}
cluster addr = {host}
ms bind ipv6 = false
auth cluster required = none
auth service required = none
auth client required = none
keyring = {folder}/keyring
log file = {folder}/log/$name.log
run dir = {folder}/run
pid file =
admin socket =
mon data = {folder}/mon
mgr data = {folder}/mgr
osd data = {folder}/osd
mds data = {folder}/mds

# One copy on one disk, which may be as full as this machine's.
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 8
osd pool default pg autoscale mode = off
osd crush chooseleaf type = 0
mon allow pool size one = true
mon warn on pool no redundancy = false
mon data avail crit = 1
mon osd nearfull ratio = .97
mon osd backfillfull ratio = .98
mon osd full ratio = .99
osd objectstore = bluestore
bluestore block size = {disk_size}
osd memory target = 1073741824
"""


class Cluster:
    """start(), mount(name), stop(); `folder` is made below `parent` and removed by stop()."""

    def __init__(self, parent=None):
        self.folder = tempfile.mkdtemp(prefix="cephfs-", dir=parent)
        self._config = self._path("ceph.conf")
        self._daemons = {}
        self._mounts = []

    def start(self):
        for name in ("run", "log", "mon", "mgr", "osd", "mds"):
            os.mkdir(self._path(name))
        fsid = str(uuid.uuid4())
        port = free_port()
        with open(self._config, "w", encoding="ascii") as file:
            file.write(CONFIG.format(fsid=fsid, host=HOST, port=port, folder=self.folder, disk_size=DISK_SIZE))
        self._start_monitor(fsid, port)
        self._daemon("mgr.a", ["ceph-mgr", "-f", "-i", "a"])
        self._start_osd()
        self._daemon("mds.a", ["ceph-mds", "-f", "-i", "a"])
        for pool in ("meta", "data"):
            self.ceph("osd", "pool", "create", pool, "8")
        self.ceph("fs", "new", "mail", "meta", "data")
        for setting in ("session_timeout", "session_autoclose"):
            self.ceph("fs", "set", "mail", setting, str(SESSION_TIMEOUT))
        self._wait("an active metadata server", lambda: "up:active" in self.ceph("mds", "stat"))
        return self

    def mount(self, name):
        """A client of its own. Returns the folder where it shows the file system."""
        folder = self._path(name)
        os.makedirs(folder, exist_ok=True)
        self._mounts.append(folder)
        self._daemon(name, ["ceph-fuse", "-f", "-n", "client.admin", folder])
        self._wait(f"the mount {name}", lambda: os.path.ismount(folder), name)
        return folder

    def kill_mount(self, name):
        """As if the client's machine had gone down."""
        daemon = self._daemons.pop(name)
        daemon.kill()
        daemon.wait()
        self._unmount(self._path(name))

    def stop(self):
        """Clients first, the monitor last."""
        for folder in self._mounts:
            self._unmount(folder)
        for name in reversed(list(self._daemons)):
            daemon = self._daemons.pop(name)
            daemon.terminate()
            try:
                daemon.wait(STOP_LIMIT)
            except subprocess.TimeoutExpired:
                daemon.kill()
                daemon.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def ceph(self, *arguments):
        return self._run("ceph", "--connect-timeout", str(COMMAND_LIMIT), *arguments)

    def logs(self, lines=20):
        """What the daemons wrote last."""
        text = ""
        folder = self._path("log")
        for name in sorted(os.listdir(folder) if os.path.isdir(folder) else []):
            with open(os.path.join(folder, name), encoding="utf-8", errors="replace") as file:
                text += f"--- {name}\n" + "".join(file.readlines()[-lines:])
        return text

    def _start_monitor(self, fsid, port):
        keyring, monmap = self._path("keyring"), self._path("monmap")
        for arguments in (["--create-keyring", "-n", "mon."], ["-n", "client.admin"]):
            capabilities = [word for kind in ("mon", "osd", "mds", "mgr") for word in ("--cap", kind, "allow *")]
            self._run("ceph-authtool", keyring, "--gen-key", *arguments, *capabilities)
        self._run("monmaptool", "--create", "--fsid", fsid, "--addv", "a", f"[v2:{HOST}:{port}]", monmap)
        self._run("ceph-mon", "--mkfs", "-i", "a", "--monmap", monmap, "--keyring", keyring)
        self._daemon("mon.a", ["ceph-mon", "-f", "-i", "a"])
        self.ceph("mon", "stat")

    def _start_osd(self):
        osd = str(uuid.uuid4())
        number = self.ceph("osd", "new", osd).strip()
        self._run("ceph-osd", "--mkfs", "-i", number, "--osd-uuid", osd)
        self._daemon("osd." + number, ["ceph-osd", "-f", "-i", number])

    def _path(self, name):
        return os.path.join(self.folder, name)

    def _run(self, program, *arguments):
        done = subprocess.run([program, "--conf", self._config, *arguments], capture_output=True, text=True,
                              timeout=2 * COMMAND_LIMIT, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"{program} {arguments} ended with {done.returncode}: {done.stderr[-2000:]}")
        return done.stdout

    def _daemon(self, name, command):
        with open(self._path(f"log/{name}.out"), "ab") as output:
            self._daemons[name] = subprocess.Popen(
                command[:1] + ["--conf", self._config] + command[1:],
                stdin=subprocess.DEVNULL, stdout=output, stderr=output)

    def _wait(self, what, condition, daemon=None):
        deadline = time.monotonic() + START_LIMIT
        while not condition():
            if daemon is not None and self._daemons[daemon].poll() is not None:
                raise RuntimeError(f"{daemon} ended with {self._daemons[daemon].returncode}")
            if time.monotonic() > deadline:
                raise TimeoutError(f"no {what} after {START_LIMIT} s")
            time.sleep(PAUSE)

    @staticmethod
    def _unmount(folder):
        """Also when its client is dead or files are open."""
        if folder in _mounted_folders():
            subprocess.run(["umount", "--lazy", folder], timeout=COMMAND_LIMIT, check=False)


def _mounted_folders():
    with open("/proc/self/mounts", encoding="utf-8") as mounts:
        return {line.split()[1] for line in mounts}
