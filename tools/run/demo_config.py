#!/usr/bin/env python3
"""Makes or mends the configuration of `make run`.

    tools/run/demo_config.py run/config.json

Writes the file when it is missing. In a file that is there, only ports that are taken change, each to
the next free one. Prints one line: the host and the ports of SMTP, submission, SMTPS, IMAP, IMAPS, HTTP
and HTTPS, then the store's address.
"""

import json
import os
import socket
import sys

HOST = "127.0.0.1"
DEFAULT = {
    "hostname": "mail.example.com",
    "mail_root": "./mailstore",
    "domains": ["example.com"],
    "smtp": {"host": HOST, "port": 2525, "submission_port": 5587, "smtps_port": 5465},
    "imap": {"host": HOST, "port": 1143, "imaps_port": 1993},
    "exchange_api": {"host": HOST, "port": 9002, "secure_port": 9003},
    "store": {"listen": f"{HOST}:9010"},
}
PORTS = [
    ("smtp", "port"),
    ("smtp", "submission_port"),
    ("smtp", "smtps_port"),
    ("imap", "port"),
    ("imap", "imaps_port"),
    ("exchange_api", "port"),
    ("exchange_api", "secure_port"),
]


def is_free(host, port):
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        # As the server does: a port that only waits for old connections to end is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
        return True


def free_port(host, wanted, used):
    for port in range(wanted, 65536):
        if port not in used and is_free(host, port):
            used.add(port)
            return port
    sys.exit(f"run: no port from {wanted} on is free on {host}")


def mend_ports(config):
    """Moves the ports that are taken; returns what to print."""
    used = set()
    line = [config.get("smtp", {}).get("host", HOST)]
    for section, key in PORTS:
        part = config.setdefault(section, {})
        host = part.setdefault("host", HOST)
        part[key] = free_port(host, part.get(key, DEFAULT[section][key]), used)
        line.append(str(part[key]))
    store = config.setdefault("store", {})
    host, _, port = store.get("listen", DEFAULT["store"]["listen"]).rpartition(":")
    store["listen"] = f"{host}:{free_port(host.strip('[]'), int(port), used)}"
    return " ".join(line + [store["listen"]])


def main():
    path = sys.argv[1]
    try:
        with open(path, encoding="utf-8") as file:
            config = json.load(file)
    except FileNotFoundError:
        config = json.loads(json.dumps(DEFAULT))
    except ValueError as error:
        sys.exit(f"run: {path} is not JSON: {error}")
    before = json.dumps(config)
    line = mend_ports(config)
    if json.dumps(config) != before or not os.path.exists(path):
        # The token's secret may stand in it.
        with open(os.open(path + ".new", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w",
                  encoding="utf-8") as file:
            json.dump(config, file, indent=2)
            file.write("\n")
        os.replace(path + ".new", path)
    print(line)


if __name__ == "__main__":
    main()
