#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every number of a report comes from a file: report_numbers.py PROGRAM.

Makes run directories, three of which differ in nothing but the seed, a comparison, a lab, timing files and tables of translations with random numbers, has `PROGRAM report`
make HTML of them and holds each number in its text to what is in the files, to what this script computes from them (ratios,
exponents, crossovers, means over seeds, intervals as `PROGRAM score` gives them), and to the few that belong to its form. Then each file is
changed in turn, and the report must change with it. The PDF must be one.
"""
import html.parser
import json
import math
import pathlib
import random
import re
import statistics
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).parents[2]
NUMBER = re.compile(r"\d+(?:\.\d+)?")
# Numbers of the form: names of measures, the interval's share, the table of the paper.
FORM = re.compile(r"chrF2|95 %|Table 3 of the Linformer paper|SHA-256|^(?:Table|Figure) \d+:|^\d+ (?=[A-Z])", re.MULTILINE)
UNITS = (1.0, 1e-6, 1e3, 100.0, 1e-3)
# Two recipes: only runs of the first, in which the seeds differ, belong together.
RUNS = {"run": "segment", "second": "segment", "third": "segment", "other": "linear"}
KINDS = ("vanilla unfused", "vanilla fused", "linformer k=128 unfused", "linformer k=128 fused")


class Text(html.parser.HTMLParser):
    """The text of a page, a line for each element; alternative texts of figures are their captions."""

    def __init__(self, page):
        super().__init__()
        self.lines, self.hidden = [], False
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        self.hidden = tag == "style"
        assert tag not in ("script", "link", "iframe"), tag
        for name, value in attributes:
            assert name not in ("src", "href") or value.startswith("data:"), value

    def handle_endtag(self, tag):
        self.hidden = False

    def handle_data(self, data):
        if not self.hidden:
            self.lines.append(data)


def numbers_of(page):
    return NUMBER.findall(FORM.sub(" ", "\n".join(Text(page).lines)))


def leaves(value):
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for element in value:
            yield from leaves(element)
    else:
        yield value


class Files:
    """What the report is made of."""

    def __init__(self, directory, seed):
        self.directory, self.random = directory, random.Random(seed)
        for seed, (name, projection) in enumerate(RUNS.items()):
            self.write_run(name, seed, projection)
        self.write_scaling()
        self.write_tables()

    def path(self, name):
        path = self.directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def arguments(self):
        return [self.directory / name for name in (*RUNS, "compare.json", "lab", "perf.vanilla-unfused.csv",
                                                   "perf.linformer-k64-unfused.csv", "a.csv", "b.csv", "score.json")]

    def write_run(self, name, seed, projection):
        r = self.random
        lines = []
        for step in range(50, 501, 50):
            lines.append({"type": "step", "step": step, "epoch": 1, "loss": r.uniform(1, 7), "tokens_per_second": r.uniform(9e3, 2e4),
                          "source_tokens": step * 977, "target_tokens": step * 1013, "elapsed_seconds": step * 0.313,
                          "memory_bytes": r.randrange(10**8, 10**9)})
        for step in (250, 500):
            lines.append({"type": "validation", "step": step, "loss": r.uniform(1, 3), "bleu": r.uniform(10, 40)})
        lines.append({"type": "final", "step": 500, "metric": "bleu", "best_value": r.uniform(30, 40), "best_step": 250,
                      "source_tokens": 488731, "target_tokens": 506177, "seconds": r.uniform(100, 200)})
        self.path(f"{name}/metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
        self.path(f"{name}/env.json").write_text(json.dumps({"version": "9.8.7", "environment": "cpu of 31 cores", "parameters": 7654321}))
        self.path(f"{name}/config.yaml").write_text(
            f"seed: {seed}\nmodel: {{type: Linformer, model_dim: 96, ffn_dim: 192, num_heads: 6, num_layers: 5, projected_length: 12, "
            f"projection: {projection}}}\ndata: {{max_length: 64, train: {name}.csv}}\n")
        record = {"kind": "linformer-evaluation", "version": 1, "test_set": "news", "data": [{"name": "news.csv", "sha256": "0f" * 32}],
                  "bleu": r.uniform(20, 30), "bleu_interval": [r.uniform(19, 20), r.uniform(30, 31)], "signature": "nrefs:1|tok:13a",
                  "chrf": r.uniform(40, 60), "perplexity": r.uniform(3, 9), "bits_per_byte": r.uniform(0.5, 2), "sentences": 1234,
                  "sources_longer_than_k": r.uniform(0, 1), "projected_length": 12, "step": 250, "seconds": r.uniform(5, 9),
                  "examples": [{"row": 0, "source": "one", "reference": "eins", "candidate": "zwei 2"}]}
        self.path(f"{name}/evaluations/news.json").write_text(json.dumps(record))

    def rows(self, power):
        r = self.random
        for kind in KINDS:
            for n in (512, 1024, 2048, 4096):
                batch = 8192 // n
                steep = power if kind.startswith("vanilla") else 1.0
                median = batch * 2e-3 * n ** steep * r.uniform(0.9, 1.1) * (1 if kind.startswith("vanilla") else 9)
                yield {"attention": kind, "n": n, "batch": batch, "median_ms": median, "p10_ms": median * 0.97,
                       "p90_ms": median * 1.04, "peak_bytes": r.randrange(10**8, 10**10), "status": "ok", "repeats": 3}
        yield {"attention": "vanilla unfused", "n": 8192, "batch": 1, "median_ms": None, "peak_bytes": None, "status": "refused"}

    def write_scaling(self):
        common = {"device": "cpu with 29 threads", "versions": {"linformer": "9.8.7", "libtorch": "5.4.3"}}
        self.path("compare.json").write_text(json.dumps(
            {"rows": list(self.rows(1.6)), "measured": "one pass of 8192 tokens", "encoder_only": True, "config": "configs/perf.yaml"} | common))
        self.path("lab/lab.json").write_text(json.dumps(
            {"kind": "linformer-lab", "version": 1, "minutes": 7, "studies": [
                {"name": "training_step", "measured": "a step", "tokens": 8192, "rows": list(self.rows(1.3))}]} | common))
        for name in ("vanilla-unfused", "linformer-k64-unfused"):
            times = ",".join(str(self.random.uniform(0.01, 2)) for _ in range(4))
            self.path(f"perf.{name}.csv").write_text(f"256/16,512/8,1024/4,2048/2\r\n{times}\r\n")

    def write_tables(self):
        words = [f"wort{i}" for i in range(40)]
        references = [self.random.choices(words, k=9) for _ in range(60)]
        for name, share in (("a", 0.2), ("b", 0.35)):
            rows = "input,candidate,reference\n"
            for i, reference in enumerate(references):
                candidate = [self.random.choice(words) if self.random.random() < share else word for word in reference]
                rows += f"source {i},{' '.join(candidate)},{' '.join(reference)}\n"
            self.path(f"{name}.csv").write_text(rows)
            (self.path(f"{name}.de")).write_text("".join(line.split(",")[1] + "\n" for line in rows.splitlines()[1:]))
        (self.path("ref.de")).write_text("".join(" ".join(reference) + "\n" for reference in references))
        self.path("score.json").write_text(json.dumps(
            {"file": "other.de", "bleu": {"score": self.random.uniform(10, 20), "signature": "nrefs:1", "interval": [9.87, 21.43]},
             "chrf": {"score": self.random.uniform(30, 40)}, "segments": 4711}))

    def values(self):
        """Every number and every text in the files."""
        numbers, texts = [], []
        for path in sorted(self.directory.rglob("*")):
            if path.suffix == ".json":
                found = list(leaves(json.loads(path.read_text())))
            elif path.suffix == ".jsonl":
                found = [leaf for line in path.read_text().splitlines() for leaf in leaves(json.loads(line))]
                found += [line["source_tokens"] + line["target_tokens"]
                          for line in map(json.loads, path.read_text().splitlines()) if "source_tokens" in line]
            elif path.name.startswith("perf."):
                found = [float(cell) for cell in path.read_text().split("\n")[1].split(",")] + [path.read_text(), path.name]
            elif path.is_file():
                found = [path.read_text()]
            else:
                continue
            numbers += [value for value in found if isinstance(value, (int, float)) and not isinstance(value, bool)]
            texts += [value for value in found if isinstance(value, str)]
        return numbers, texts

    def studies(self):
        yield json.loads(self.path("compare.json").read_text())["rows"]
        yield json.loads(self.path("lab/lab.json").read_text())["studies"][0]["rows"]
        rows = []
        for kind, name in (("vanilla unfused", "vanilla-unfused"), ("linformer k=64 unfused", "linformer-k64-unfused")):
            shapes, times = self.path(f"perf.{name}.csv").read_text().split()
            for shape, seconds in zip(shapes.split(","), times.split(",")):
                n, batch = map(int, shape.split("/"))
                rows.append({"attention": kind, "n": n, "batch": batch, "median_ms": float(seconds) * 1e3, "peak_bytes": None})
        yield rows


def over_seeds(files):
    """The row of the runs that belong together, as the page has it."""
    names = [name for name, projection in RUNS.items() if projection == RUNS["run"]]
    alike = [json.loads(files.path(f"{name}/evaluations/news.json").read_text()) for name in names]
    cells = [", ".join(names), "news", str(len(alike)), "250"]
    for score, digits in (("bleu", 2), ("chrf", 2), ("perplexity", 2), ("bits_per_byte", 3)):
        values = [record[score] for record in alike]
        cells.append(f"{statistics.mean(values):.{digits}f} ± {statistics.stdev(values):.{digits}f}")
    return cells


def curves_of(rows, cost):
    curves = {}
    for row in rows:
        value = cost(row)
        if value is not None:
            curves.setdefault(row["attention"], {})[row["n"]] = value
    return curves


def slope(curve):
    points = sorted(curve.items())
    points = points[-max(3, (len(points) + 1) // 2):]
    x, y = [math.log(n) for n, _ in points], [math.log(value) for _, value in points]
    mean_x, mean_y = sum(x) / len(x), sum(y) / len(y)
    return sum((a - mean_x) * (b - mean_y) for a, b in zip(x, y)) / sum((a - mean_x) ** 2 for a in x)


def crossing(fast, slow):
    """Where the lines through neighbouring measured points meet for the last time."""
    lengths = sorted(fast.keys() & slow.keys())
    gaps = [math.log(fast[n] / slow[n]) for n in lengths]
    for i in range(len(lengths) - 1, 0, -1):
        if gaps[i] < 0 <= gaps[i - 1]:
            share = gaps[i - 1] / (gaps[i - 1] - gaps[i])
            return math.exp(math.log(lengths[i - 1]) + share * (math.log(lengths[i]) - math.log(lengths[i - 1])))
    return None


def derived(files, program):
    """What a report may compute from the files."""
    out = [float(word) for cell in over_seeds(files) for word in NUMBER.findall(cell)]
    for rows in files.studies():
        times = curves_of(rows, lambda row: row["median_ms"] and row["median_ms"] / row["batch"])
        memory = curves_of(rows, lambda row: row["peak_bytes"])
        for curves in (times, memory):
            for kind, curve in curves.items():
                out += [*curve.values(), abs(slope(curve))]
                for baseline in ("vanilla unfused", "vanilla fused"):
                    if kind.startswith("linformer") and baseline in curves:
                        out += [curves[baseline][n] / value for n, value in curve.items() if n in curves[baseline]]
                        out.append(crossing(curve, curves[baseline]))
    for arguments in (["a.csv", "--bootstrap"], ["b.csv", "--bootstrap"], ["a.de", "b.de", "ref.de", "--paired"]):
        shown = subprocess.run([program, "score", "--json", *arguments], cwd=files.directory, check=True, capture_output=True)
        out += [abs(value) for value in leaves(json.loads(shown.stdout)) if isinstance(value, (int, float))]
    return [value for value in out if value is not None]


def unexplained(page, files, program):
    numbers, texts = files.values()
    texts += [(ROOT / "report" / name).read_text() for name in ("references.txt", "linformer_table3.csv")]
    texts += [subprocess.run([program, "--version"], check=True, capture_output=True, text=True).stdout]
    words = {word for text in texts for word in NUMBER.findall(text)}
    values = [value * unit for value in numbers for unit in UNITS] + [
        value * unit for value in derived(files, program) for unit in (1.0, 1e-6)]
    for word in numbers_of(page):
        half = 0.5 * 10.0 ** -len(word.partition(".")[2]) * (1 + 1e-9)
        if word not in words and not any(abs(value - float(word)) <= half for value in values):
            yield word


def report(files, program, name):
    output = files.directory / name
    subprocess.run([program, "report", *files.arguments(), "--output", output], check=True, capture_output=True)
    return output


def changed(files):
    """Each input with its last digit-bearing number changed: path and the text before."""
    for path in ("second/evaluations/news.json", "run/metrics.jsonl", "run/env.json", "run/evaluations/news.json", "compare.json", "lab/lab.json",
                 "perf.vanilla-unfused.csv", "a.csv", "score.json", "run/config.yaml"):
        before = files.path(path).read_text()
        for old, new in ((r'"best_value": \d', '"best_value": 7'), (r'"parameters": \d', '"parameters": 98'), (r'"bleu": \d', '"bleu": 6'),
                         (r'"median_ms": (?=[0-9])', '"median_ms": 3'), (r"\n[01](?=\.)", "\n7"), (r"wort1\b", "wort2"),
                         (r'"score": \d', '"score": 5'), (r"ffn_dim: 192", "ffn_dim: 384")):
            after = re.sub(old, new, before)
            if after != before:
                break
        assert after != before, path
        files.path(path).write_text(after)
        yield path
        files.path(path).write_text(before)


def main():
    program = sys.argv[1]
    with tempfile.TemporaryDirectory() as directory:
        files = Files(pathlib.Path(directory), seed=7)
        page = report(files, program, "report.html").read_text()
        count = len(numbers_of(page))
        found = [f"{word} is in no file" for word in unexplained(page, files, program)]
        row = over_seeds(files)
        if "\n".join(row) not in "\n".join(Text(page).lines):
            found.append(f"the page has no row {row}")
        # The check itself must notice a number that was typed.
        if "31.41592" not in unexplained(page.replace("<li>", "<li>31.41592 ", 1), files, program):
            found.append("a typed number was not noticed")
        for path in changed(files):
            if report(files, program, "changed.html").read_text() == page:
                found.append(f"a change of {path} changes nothing")
        if report(files, program, "report.html").read_text() != page:
            found.append("the same files give another report")
        pdf = report(files, program, "report.pdf").read_bytes()
        if not pdf.startswith(b"%PDF-") or b"%%EOF" not in pdf[-32:] or len(pdf) < 20000:
            found.append("the PDF is none")
    print("\n".join(found) if found else f"{count} numbers: clean")
    return 1 if found or count < 200 else 0


if __name__ == "__main__":
    sys.exit(main())
