#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks Dockerfiles and takes their steps where there is no container engine.

  docker_steps.py check DOCKERFILE...
      Pinned bases, several stages, a numbered user that is not root, no key in ARG or ENV, and COPY only of files that
      git tracks and .dockerignore lets through. Prints one line for each finding and exits 1 when there is any.
  docker_steps.py build DOCKERFILE --base DIR --output DIR [--env NAME=VALUE ...]
      As root: every stage on a copy of the root directory DIR (made by debootstrap), its COPY and RUN steps in order, by
      chroot. The root of the last stage is OUTPUT/image. Prints seconds and megabytes. --env is for the steps alone: a
      proxy, a certificate.
  docker_steps.py run DOCKERFILE --image DIR --volume DIR -- ARGUMENT...
      As root: the image's entry point as its user in its directory, the root file system read-only, /tmp a tmpfs and each
      VOLUME a directory under --volume.
"""
import argparse
import json
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import time

SECRET = re.compile(r"KEY|SECRET|TOKEN|PASSWORD|CREDENTIAL", re.IGNORECASE)
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"  # of a container that sets none
PINNED = re.compile(r"[\w./-]+(:\d+\.\d+[\w.-]*|(:[\w.-]+)?@sha256:[0-9a-f]{64})")


def parse(text):
    """[(line, instruction, rest)] with continued lines joined and comments left out."""
    steps, pending, start = [], "", 0
    for number, line in enumerate(text.splitlines(), 1):
        if line.lstrip().startswith("#") or (not pending and not line.strip()):
            continue
        start = start if pending else number
        pending += line.rstrip()
        if pending.endswith("\\"):
            pending = pending[:-1]
            continue
        word, _, rest = pending.strip().partition(" ")
        steps.append((start, word.upper(), rest.strip()))
        pending = ""
    return steps


def stages(steps):
    """[(base, name, steps)] of each FROM."""
    out = []
    for line, word, rest in steps:
        if word == "FROM":
            parts = rest.split()
            out.append((parts[0], parts[2] if len(parts) == 3 else str(len(out)), []))
        else:
            out[-1][2].append((line, word, rest))
    return out


def copy_words(rest):
    """(stage or None, sources, target) of COPY."""
    words = rest.split()
    flags = [word for word in words if word.startswith("--")]
    places = words[len(flags):]
    stage = next((flag[7:] for flag in flags if flag.startswith("--from=")), None)
    return stage, places[:-1], places[-1]


def environment(rest):
    return dict(word.partition("=")[::2] for word in shlex.split(rest))


def tracked_files(root, place):
    out = subprocess.run(["git", "-C", root, "ls-files", "-z", "--", place], capture_output=True, text=True, check=True)
    return [name for name in out.stdout.split("\0") if name]


def lets_through(ignored, place):
    """Whether an allow-list ("*", then !NAME lines) sends `place` to the builder."""
    allowed = [line[1:] for line in ignored if line.startswith("!")]
    return "*" in ignored and any(place == name or place.startswith(name + "/") for name in allowed)


def check_copy(root, ignored, rest):
    stage, sources, _ = copy_words(rest)
    for source in sources if stage is None else []:
        if not tracked_files(root, source):
            yield f"COPY {source}: git tracks no such file"
        if not lets_through(ignored, source):
            yield f"COPY {source}: .dockerignore does not let it through"


def check(text, root, ignored):
    steps = parse(text)
    parts = stages(steps)
    names = {name for _, name, _ in parts}
    for base, _, _ in parts:
        if base not in names and not PINNED.fullmatch(base):
            yield f"FROM {base}: no exact version or digest"
    if len(parts) < 2:
        yield "one stage: the compilers are part of the image"
    for line, word, rest in steps:
        if word in ("ARG", "ENV") and SECRET.search(rest):
            yield f"line {line}: {word} {rest.split('=')[0]} could put a key into a layer"
        if word == "ADD":
            yield f"line {line}: ADD (want COPY)"
        if word == "COPY":
            yield from (f"line {line}: {found}" for found in check_copy(root, ignored, rest))
        if word == "ENTRYPOINT" and not rest.startswith("["):
            yield f"line {line}: ENTRYPOINT as a string runs a shell that keeps signals from the program"
    users = [rest for _, word, rest in parts[-1][2] if word == "USER"]
    if not users or not re.fullmatch(r"[1-9]\d*(:[1-9]\d*)?", users[-1]):
        yield f"USER {users[-1] if users else 'missing'}: want a number other than 0"


def copy_tree(source, target):
    subprocess.run(["cp", "-a", "--reflink=auto", source, target], check=True)


class Stage:
    """The root directory of one stage and what its steps have set."""

    def __init__(self, root, extra):
        self.root, self.extra, self.directory = root, extra, "/"
        self.shell, self.user = ["/bin/sh", "-c"], "0:0"
        self.environment = {"PATH": PATH, "HOME": "/root"}

    def inside(self, path):
        return pathlib.Path(self.root, os.path.join(self.directory, path).lstrip("/"))

    def run(self, text):
        variables = [f"{key}={value}" for key, value in {**self.environment, **self.extra}.items()]
        command = self.shell[:-1] + [self.shell[-1], f"cd {shlex.quote(self.directory)} && {{ {text}; }}"]
        subprocess.run(["chroot", f"--userspec={self.user}", self.root, "/usr/bin/env", "-i", *variables, *command],
                       check=True, stdin=subprocess.DEVNULL)

    def copy(self, context, roots, rest):
        stage, sources, target = copy_words(rest)
        place = self.inside(target)
        for source in sources:
            if stage is not None:
                place.parent.mkdir(parents=True, exist_ok=True)
                copy_tree(str(roots[stage].inside(source)), str(place))
                continue
            is_directory = (context / source).is_dir()
            for name in tracked_files(context, source):
                inner = os.path.relpath(name, source) if is_directory else os.path.basename(name)
                into = place / inner if is_directory or target.endswith("/") or target == "." else place
                into.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(context / name, into, follow_symlinks=False)

    def take(self, context, roots, word, rest):
        if word == "RUN":
            self.run(rest)
        elif word == "COPY":
            self.copy(context, roots, rest)
        elif word == "ENV":
            self.environment.update(environment(rest))
        elif word == "WORKDIR":
            self.directory = os.path.join(self.directory, rest)
            self.inside("").mkdir(parents=True, exist_ok=True)
        elif word == "SHELL":
            self.shell = json.loads(rest)
        elif word == "USER":
            self.user = rest


def build(options, context):
    extra = dict(pair.partition("=")[::2] for pair in options.env)
    roots, parts = {}, stages(parse(options.dockerfile.read_text()))
    options.output.mkdir(parents=True)
    for index, (base, name, steps) in enumerate(parts):
        root = options.output / ("image" if index == len(parts) - 1 else name)
        copy_tree(str(roots[base].root if base in roots else options.base), str(root))
        roots[name] = stage = Stage(str(root), extra)
        mounts = [("proc", ["-t", "proc", "proc"]), ("dev", ["--rbind", "/dev"]),
                  ("etc/resolv.conf", ["--bind", "/etc/resolv.conf"])]
        (root / "etc/resolv.conf").touch()
        for place, how in mounts:
            subprocess.run(["mount", *how, str(root / place)], check=True)
        try:
            for line, word, rest in steps:
                start = time.monotonic()
                print(f"== {options.dockerfile.name}:{line} {word} {rest[:90]}", flush=True)
                stage.take(context, roots, word, rest)
                print(f"== {time.monotonic() - start:.1f} s", flush=True)
        finally:
            for place, _ in reversed(mounts):
                subprocess.run(["umount", "-l", str(root / place)], check=True)
    for base, image in (("base", options.base), ("image", options.output / "image")):
        size = subprocess.run(["du", "-sm", image], capture_output=True, text=True, check=True).stdout.split()[0]
        print(f"{base}: {size} MB")


def run(options):
    last = stages(parse(options.dockerfile.read_text()))[-1][2]
    of = {word: rest for _, word, rest in last}
    variables = {}
    for _, word, rest in last:
        variables.update(environment(rest) if word == "ENV" else {})
    image, user = options.image.resolve(), of["USER"]
    script = [f"mount --bind {image} {image}", f"mount -o remount,bind,ro {image}",
              f"mount -t tmpfs -o mode=1777 tmpfs {image}/tmp", f"mount -t proc proc {image}/proc",
              f"mount --bind -o ro /dev {image}/dev"]
    for place in json.loads(of["VOLUME"]):
        held = options.volume.resolve() / os.path.basename(place)
        held.mkdir(parents=True, exist_ok=True)
        os.chown(held, *map(int, user.split(":")))
        script.append(f"mount --bind {held} {image}{place}")
    command = shlex.join([*json.loads(of["ENTRYPOINT"]), *(options.arguments or json.loads(of["CMD"]))])
    assigned = shlex.join(f"{key}={value}" for key, value in variables.items())
    inner = shlex.quote(f"cd {of['WORKDIR']} && exec {command}")
    script.append(f"exec chroot --userspec={user} {image} /usr/bin/env -i {assigned} /bin/sh -c {inner}")
    return subprocess.run(["unshare", "--mount", "sh", "-ec", "\n".join(script)]).returncode


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    verbs = parser.add_subparsers(dest="verb", required=True)
    verbs.add_parser("check").add_argument("files", nargs="+", type=pathlib.Path)
    builder = verbs.add_parser("build")
    builder.add_argument("dockerfile", type=pathlib.Path)
    builder.add_argument("--base", type=pathlib.Path, required=True)
    builder.add_argument("--output", type=pathlib.Path, required=True)
    builder.add_argument("--env", action="append", default=[])
    runner = verbs.add_parser("run")
    runner.add_argument("dockerfile", type=pathlib.Path)
    runner.add_argument("--image", type=pathlib.Path, required=True)
    runner.add_argument("--volume", type=pathlib.Path, required=True)
    words = sys.argv[1:]
    end = words.index("--") if "--" in words else len(words)
    options = parser.parse_args(words[:end])
    options.arguments = words[end + 1:]
    context = pathlib.Path(__file__).resolve().parent.parent
    if options.verb == "build":
        return build(options, context)
    if options.verb == "run":
        return run(options)
    ignored = (context / ".dockerignore").read_text().splitlines()
    found = [f"{path}: {text}" for path in options.files for text in check(path.read_text(), context, ignored)]
    print("\n".join(found) if found else f"{len(options.files)} Dockerfiles: clean")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
