"""Tests in Python that drive real processes."""

def e2e_test(name, script, args = [], support = ":support"):
    """A test that runs `script` with the system's Python.

    Bazel 4.2.3's py_test starts programs with `python`, which Debian 12 doesn't have.

    Args:
      name: The target's name.
      script: The Python file.
      args: What it is called with.
      support: The programs and Python files that it uses.
    """
    native.sh_test(
        name = name,
        size = "large",
        timeout = "moderate",
        srcs = ["run_python"],
        args = ["$(location %s)" % script] + args,
        data = [
            script,
            support,
        ],
        # Server, clients and their load: more than a core.
        tags = ["cpu:2"],
    )
