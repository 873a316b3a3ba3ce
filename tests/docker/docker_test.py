# SPDX-License-Identifier: Apache-2.0
"""The Dockerfiles, their checker, and what ./run.sh --docker and ./build.sh --cpu|--gpu ask of docker (a stand-in that
writes down its arguments)."""
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))
sys.dont_write_bytecode = True
import docker_steps  # noqa: E402

GOOD = """FROM debian:12.12-slim AS build
WORKDIR /src
COPY src src
RUN echo a \\
    b
FROM debian:12.12-slim
COPY --from=build /src /opt
USER 1000:1000
ENTRYPOINT ["linformer"]
"""
STAND_IN = """#!/usr/bin/env python3
import json, os, sys
with open(os.environ["DOCKER_LOG"], "a") as log:
    log.write(json.dumps([sys.argv[1:], os.environ.get("WANDB_API_KEY")]) + "\\n")
sys.exit(int(sys.argv[1:3] == ["image", "inspect"] and "HAS_IMAGE" not in os.environ))
"""


class Check(unittest.TestCase):
    def findings(self, text):
        ignored = (ROOT / ".dockerignore").read_text().splitlines()
        return list(docker_steps.check(text, ROOT, ignored))

    def test_ours_are_clean(self):
        for name in ("cpu", "cuda"):
            self.assertEqual(self.findings((ROOT / f"docker/Dockerfile.{name}").read_text()), [], name)

    def test_each_slip_is_found(self):
        self.assertEqual(self.findings(GOOD), [])
        digest = "debian@sha256:" + "0" * 64
        self.assertEqual(self.findings(GOOD.replace("debian:12.12-slim", digest)), [])
        slips = {("debian:12.12-slim", "debian:latest"): "no exact version",
                 ("debian:12.12-slim", "debian"): "no exact version",
                 ("USER 1000:1000", "USER 0"): "want a number other than 0",
                 ("USER 1000:1000", ""): "USER missing",
                 ("WORKDIR /src", "ENV WANDB_API_KEY=abc"): "could put a key into a layer",
                 ("WORKDIR /src", "ARG SECRET"): "could put a key into a layer",
                 ("COPY src src", "ADD src src"): "want COPY",
                 ("COPY src src", "COPY runs runs"): "git tracks no such file",
                 ("COPY src src", "COPY tests tests"): ".dockerignore does not let it through",
                 ('["linformer"]', "linformer"): "as a string"}
        for (old, new), wanted in slips.items():
            found = self.findings(GOOD.replace(old, new))
            self.assertTrue(any(wanted in text for text in found), (new, found))
        self.assertIn("one stage", " ".join(self.findings("FROM debian:12.12-slim\nUSER 1000\n")))

    def test_what_ours_copy_is_enough_to_configure(self):
        for name in ("cpu", "cuda"):
            parts = docker_steps.stages(docker_steps.parse((ROOT / f"docker/Dockerfile.{name}").read_text()))
            with tempfile.TemporaryDirectory() as place:
                for _, word, rest in parts[0][2]:
                    sources = docker_steps.copy_words(rest)[1] if word == "COPY" else []
                    for file in (file for source in sources for file in docker_steps.tracked_files(ROOT, source)):
                        (pathlib.Path(place) / file).parent.mkdir(parents=True, exist_ok=True)
                        shutil.copy(ROOT / file, pathlib.Path(place) / file)
                result = subprocess.run(
                    ["cmake", "-S", place, "-B", f"{place}/build", "-G", "Ninja", "-DLINFORMER_TORCH=OFF",
                     "-DLINFORMER_TESTS=OFF"], capture_output=True, text=True)
                self.assertEqual(result.returncode, 0, f"{name}: {result.stderr}")

    def test_continued_lines_are_one_step(self):
        self.assertIn((4, "RUN", "echo a     b"), docker_steps.parse(GOOD))


class Scripts(unittest.TestCase):
    def setUp(self):
        self.place = pathlib.Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.place)
        for name in ("run.sh", "build.sh", "tools/setup.sh", "tools/docker.sh", "tools/requirements/torch.txt"):
            (self.place / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, self.place / name)
        stand_in = self.place / "bin/docker"
        stand_in.parent.mkdir()
        stand_in.write_text(STAND_IN)
        stand_in.chmod(0o755)

    def run_script(self, *words, path=None, **environment):
        log = self.place / "log"
        log.unlink(missing_ok=True)
        clean = {name: value for name, value in os.environ.items() if not name.startswith("WANDB_")}
        result = subprocess.run(
            [self.place / words[0], *words[1:]], capture_output=True, text=True, stdin=subprocess.DEVNULL,
            env={**clean, "PATH": path or f"{self.place}/bin:{os.environ['PATH']}", "HOME": str(self.place),
                 "DOCKER_LOG": str(log), **environment})
        calls = [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []
        return result, calls

    def test_run_is_confined_and_has_the_folders(self):
        result, calls = self.run_script("run.sh", "--docker", "translate", "--checkpoint", "runs/latest", HAS_IMAGE="1")
        self.assertEqual(result.returncode, 0, result.stderr)
        words, key = calls[-1]
        self.assertEqual(words[-4:], ["linformer:" + ("cuda" if os.path.exists("/dev/nvidia0") else "cpu"), "translate",
                                      "--checkpoint", "runs/latest"])
        self.assertIsNone(key)
        for wanted in (["--read-only"], ["--tmpfs", "/tmp"], ["--cap-drop", "ALL"],
                       ["--user", f"{os.getuid()}:{os.getgid()}"],
                       *(["--volume", f"{self.place}/{name}:/home/linformer/{name}"]
                         for name in ("datasets", "artifacts", "runs"))):
            self.assertIn(" ".join(wanted), " ".join(words))
        self.assertNotIn("WANDB_API_KEY", words)

    def test_a_shell_takes_the_place_of_the_program(self):
        _, calls = self.run_script("run.sh", "--docker", "shell", "-c", "ls", HAS_IMAGE="1")
        words = calls[-1][0]
        self.assertIn("--entrypoint /bin/bash", " ".join(words))
        self.assertEqual(words[-2:], ["-c", "ls"])
        self.assertTrue(words[-3].startswith("linformer:"))
        self.assertIn("--read-only", words)

    def test_the_image_is_built_when_it_is_missing(self):
        _, calls = self.run_script("run.sh", "--docker")
        verbs = [words[0] for words, _ in calls]
        self.assertEqual(verbs[-2:], ["build", "run"])
        self.assertEqual(calls[-1][0][-1], "demo")
        for flag, name in (("--cpu", "cpu"), ("--gpu", "cuda")):
            _, calls = self.run_script("build.sh", flag)
            self.assertEqual(calls[0][0], ["build", "--file", f"{self.place}/docker/Dockerfile.{name}", "--tag",
                                           f"linformer:{name}", str(self.place)])

    def test_a_key_is_passed_on_by_name_alone(self):
        (self.place / ".wandb_secret").write_text("from-the-file\n")
        (self.place / ".wandb_secret").chmod(0o600)
        for environment, wanted in (({}, "from-the-file"), ({"WANDB_API_KEY": "from-outside"}, "from-outside")):
            result, calls = self.run_script("run.sh", "--docker", "version", HAS_IMAGE="1", **environment)
            words, key = calls[-1]
            self.assertEqual(key, wanted)
            self.assertIn("--env WANDB_API_KEY", " ".join(words))
            self.assertNotIn(wanted, " ".join(words) + result.stdout + result.stderr)

    def test_what_cannot_be_done_is_one_line_and_exit_2(self):
        (self.place / ".wandb_secret").write_text("secret")
        (self.place / ".wandb_secret").chmod(0o644)
        result, calls = self.run_script("run.sh", "--docker", "version", HAS_IMAGE="1")
        self.assertEqual((result.returncode, result.stderr.count("\n")), (2, 1), result.stderr)
        self.assertIn("chmod 600", result.stderr)
        self.assertFalse(any(words[0] == "run" for words, _ in calls))
        result, _ = self.run_script("build.sh", "--arm")
        self.assertEqual(result.returncode, 2)
        self.assertIn("want --cpu, --gpu", result.stderr)
        tools = self.place / "no-docker"
        tools.mkdir()
        for name in ("bash", "sed", "dirname", "env"):
            (tools / name).symlink_to(shutil.which(name))
        result, _ = self.run_script("run.sh", "--docker", "version", path=str(tools))
        self.assertEqual(result.returncode, 2, result.stderr)
        self.assertIn("there is no docker here", result.stderr)


if __name__ == "__main__":
    unittest.main()
