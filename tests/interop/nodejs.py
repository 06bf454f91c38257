"""Programs of nodejs/, with the packages that tools/setup has put there."""

import os

from tests.e2e.processes import binary


def command(script, *arguments):
    """Runs nodejs/`script`; it ends with the test."""
    return ["setpriv", "--pdeathsig", "KILL", "node", binary(f"tests/interop/nodejs/{script}"), *arguments]


def environment(script):
    """Where the packages lie: beside the script's source."""
    folder = os.path.dirname(os.path.realpath(binary(f"tests/interop/nodejs/{script}")))
    return {"INTEROP_NODE_MODULES": os.path.join(folder, "node_modules")}
