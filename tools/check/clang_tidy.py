#!/usr/bin/env python3
"""clang-tidy over the change, with the compile commands that Bazel uses.

The change is what differs from where the branch left origin's main (uncommitted files included); on
that main itself, from the commit before. A header stands for the sources that include it: the one of
its own name, else the first found. The newest change comes first, and when the time is up the rest is
named as skipped: one translation unit over gRPC or Asio takes 5 to 20 seconds.

Environment: BAZEL (bazel with startup options), BAZEL_FLAGS, TIDY_SECONDS (default 900), TIDY_BASE
(a commit to compare with; `all` takes every file).
"""

import concurrent.futures
import json
import os
import pathlib
import shlex
import subprocess
import sys
import time

EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
TIDY = ["clang-tidy-19", "--quiet", "--config-file=.clang-tidy"]
# The longest that one file may take, in seconds.
FILE_LIMIT = 300
# Flags that belong to Bazel's outputs and layering check rather than to what the source means.
DROPPED = ("-fmodule", "-Wprivate-header", "-frandom-seed", "-fcolor-diagnostics", "-Werror", "-MD")
DROPPED_WITH_VALUE = ("-MF", "-o", "-c")


def run(command):
    """Standard output of a command; its errors show only when it fails."""
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"clang-tidy: {shlex.join(command)} failed:\n{done.stderr}")
    return done.stdout


def git_knows(revision):
    command = ["git", "rev-parse", "--verify", "--quiet", revision + "^{commit}"]
    return subprocess.run(command, stdout=subprocess.PIPE, check=False).returncode == 0


def base_commit():
    wanted = os.environ.get("TIDY_BASE", "")
    if wanted == "all":
        return EMPTY_TREE
    if wanted:
        return wanted
    if git_knows("origin/main") and git_knows("HEAD"):
        base = run(["git", "merge-base", "HEAD", "origin/main"]).strip()
        if base != run(["git", "rev-parse", "HEAD"]).strip():
            return base
    return "HEAD~1" if git_knows("HEAD~1") else EMPTY_TREE


def changed_files():
    """The .cc and .h files of the change that exist, those changed last first."""
    names = run(["git", "diff", "--name-only", "-z", base_commit(), "--", "*.cc", "*.h"])
    names += run(["git", "ls-files", "-z", "--others", "--exclude-standard", "--", "*.cc", "*.h"])
    paths = [pathlib.Path(name) for name in set(names.split("\0")) if name]
    paths = [path for path in paths if path.is_file()]
    return sorted(paths, key=lambda path: (-path.stat().st_mtime, str(path)))


def sources_of(changed, compiled):
    """The compiled sources to look at: the changed ones, and one for each changed header."""
    sources = [str(path) for path in changed if path.suffix == ".cc"]
    for header in (path for path in changed if path.suffix == ".h"):
        own = str(header.with_suffix(".cc"))
        if own in compiled:
            sources.append(own)
            continue
        include = f'#include "{header}"'
        users = (name for name in compiled if include in pathlib.Path(name).read_text(encoding="utf-8"))
        sources.extend(list(users)[:1])
    return list(dict.fromkeys(sources))


def tidy_flags(arguments):
    """The flags of a compiler's command line that clang-tidy needs."""
    flags = []
    rest = iter(arguments[1:])
    for argument in rest:
        if argument in DROPPED_WITH_VALUE:
            next(rest)
        elif argument.startswith(DROPPED):
            continue
        else:
            flags.append(argument)
    # Generated headers are not ours to mend.
    return ["-isystem" + flag[2:] if flag.startswith("-Ibazel-out/") else flag for flag in flags]


def compile_commands():
    """Flags by source file, for each of the tree's own sources; makes the generated headers too."""
    bazel = shlex.split(os.environ.get("BAZEL", "bazel"))
    options = shlex.split(os.environ.get("BAZEL_FLAGS", ""))
    # A cc_proto's library is two steps from its generated files (tools/bazel/proto.bzl).
    protos = 'kind("cc_library rule", rdeps(//..., kind("_protoc rule", //...), 2))'
    run(bazel + ["build"] + options + run(bazel + ["query", protos]).split())
    output = run(bazel + ["info"] + options + ["output_path"]).strip()
    query = bazel + ["aquery"] + options + ["--output=jsonproto", 'mnemonic("CppCompile", //...)']
    commands = {}
    for action in json.loads(run(query)).get("actions", []):
        arguments = action["arguments"]
        source = arguments[arguments.index("-c") + 1]
        if source.endswith(".cc") and pathlib.Path(source).is_file() and not source.startswith("bazel-out/"):
            flags = [flag.replace("bazel-out/", output + "/", 1) for flag in tidy_flags(arguments)]
            commands[source] = flags
    return commands


def tidy(source, flags, deadline):
    """What clang-tidy finds in a source: (source, "ok" | "skipped" | "failed", its output)."""
    left = deadline - time.monotonic()
    if left <= 0:
        return source, "skipped", ""
    command = TIDY + [source, "--"] + flags
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=min(left + 30, FILE_LIMIT), check=False)
    except subprocess.TimeoutExpired:
        return source, "skipped", ""
    if done.returncode == 0:
        return source, "ok", ""
    return source, "failed", done.stdout or done.stderr


def main():
    changed = changed_files()
    if not changed:
        print("clang-tidy: no source has changed")
        return 0
    commands = compile_commands()
    sources = sources_of(changed, commands)
    strangers = [source for source in sources if source not in commands]
    sources = [source for source in sources if source in commands]
    deadline = time.monotonic() + float(os.environ.get("TIDY_SECONDS", "900"))
    found = {"ok": [], "skipped": [], "failed": []}
    with concurrent.futures.ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        jobs = [pool.submit(tidy, source, commands[source], deadline) for source in sources]
        for job in concurrent.futures.as_completed(jobs):
            source, result, output = job.result()
            found[result].append(source)
            print(output, end="", flush=True)
    for source in strangers:
        print(f"{source}: no target compiles it")
    for source in sorted(found["skipped"]):
        print(f"{source}: skipped, out of time")
    print(f"clang-tidy: {len(sources)} sources, {len(found['failed'])} with findings, "
          f"{len(found['skipped'])} skipped")
    return 1 if found["failed"] or strangers else 0


if __name__ == "__main__":
    sys.exit(main())
