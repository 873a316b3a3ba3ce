#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Goldens of the tokenizer, made by the `tokenizers` wheel, and a comparison with it at scale.

  tokenizer.py                                   write tests/golden/tokenizer_*.json
  tokenizer.py --compare --program linformer --tokenizer DIR [--data DIR]
                                                 ids and texts of PROGRAM against the wheel's

--data is a directory with newstest2014/*.csv and corpus/{train,valid}.csv.gz; without it only
generated strings are compared. Exit 1 at any difference.
"""

import argparse
import csv
import gzip
import hashlib
import json
import os
import pathlib
import random
import resource
import subprocess
import sys
import tempfile

os.environ["TOKENIZERS_PARALLELISM"] = "false"
import tokenizers  # noqa: E402
from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers  # noqa: E402
from tokenizers import pre_tokenizers, processors, trainers  # noqa: E402

GOLDEN = pathlib.Path(__file__).resolve().parents[2] / "tests" / "golden"
SPECIAL = ["<s>", "<pad>", "</s>", "<unk>"]
SYLLABLES = ["ba", "lo", "ker", "schu", "in", "ung", "e", "st", "wa", "mi", "tor", "ß", "ä", "ö", "the",
             "re", "'s", "n't", "-", "é"]
BLANKS = [" ", " ", " ", "  ", "\t", "\u00a0", "\u2028", "\u0085", "\u3000", "   ", "\u2009", " \u00a0",
          "\x0b", "\x0c", "\x1c", "\ufeff", "\u200b", "\u180e"]
PIECES = ["'s", "'t", "'re", "'ve", "'m", "'ll", "'d", "'S", "\u2019s", "'x", "<s>", "</s>", "<pad>",
          "<unk>", "<mask>", "<mask", "<<s>>", "< s>", "don't", "we're", "\u0130", "\u03a3\u03a3", "ǅ",
          "1\u00bd", "\u0661\u0662", "\u2167", "\U0001f600\u200d\U0001f525", "e\u0301", "...", "?!", "--", "\u00df"]
RANGES = [(0x20, 0x7f), (0xa0, 0x250), (0x370, 0x530), (0x590, 0x780), (0x900, 0xe00), (0x1e00, 0x2070),
          (0x2070, 0x2c00), (0x3000, 0x3400), (0x4e00, 0x5200), (0xac00, 0xae00), (0xf900, 0x10000),
          (0x10000, 0x10400), (0x1d400, 0x1d800), (0x1f300, 0x1fb00), (0x1, 0xd800), (0xe000, 0x110000)]
CLEAN_UP = [(" .", "."), (" ?", "?"), (" !", "!"), (" ,", ","), (" ' ", "'"), (" n't", "n't"), (" 'm", "'m"),
            (" 's", "'s"), (" 've", "'ve"), (" 're", "'re")]


def clean_up(text):
    for old, new in CLEAN_UP:
        text = text.replace(old, new)
    return text


def make_word(rng):
    word = "".join(rng.choice(SYLLABLES) for _ in range(rng.randint(1, 4)))
    return word.capitalize() if rng.random() < 0.2 else word


def make_sentence(rng):
    return " ".join(make_word(rng) for _ in range(rng.randint(3, 9))) + rng.choice([".", "?", "!", " ...", ""])


def make_string(rng, line_breaks):
    """A string of words, blanks, specials and code points of every kind."""
    out = []
    for _ in range(rng.randint(0, 12)):
        kind = rng.random()
        if kind < 0.35:
            out.append(make_word(rng))
        elif kind < 0.65:
            out.append(rng.choice(BLANKS))
        elif kind < 0.8:
            out.append(rng.choice(PIECES))
        elif kind < 0.85 and line_breaks:
            out.append(rng.choice(["\n", "\r", "\r\n", "\n\n"]))
        else:
            low, high = rng.choice(RANGES)
            out.append("".join(chr(rng.randrange(low, high)) for _ in range(rng.randint(1, 3))))
    text = "".join(out)
    if not line_breaks:
        text = text.replace("\n", "\t").replace("\r", "\t")
    return text.encode("utf-8", "replace").decode()


def make_bytes(rng):
    """A string with some bytes spoiled; no line breaks among them."""
    data = bytearray(make_string(rng, False).encode())
    for _ in range(rng.randint(1, 4)):
        at = rng.randint(0, len(data))
        data[at:at + rng.randint(0, 1)] = bytes(rng.choice(b"\x80\xbf\xc0\xc3\xe2\xed\xf0\xf4\xff\xa0") for _ in
                                                range(rng.randint(1, 3)))
    return bytes(data).replace(b"\n", b" ").replace(b"\r", b" ")


def train(lines, vocab_size, lowercase=False):
    """As our trainer: BART's specials, all 256 bytes, <mask> last."""
    wheel = Tokenizer(models.BPE())
    wheel.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    wheel.decoder = decoders.ByteLevel()
    if lowercase:
        wheel.normalizer = normalizers.Lowercase()
    wheel.train_from_iterator(lines, trainers.BpeTrainer(
        vocab_size=vocab_size - 1, special_tokens=SPECIAL, show_progress=False,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet()))
    wheel.add_special_tokens([AddedToken("<mask>", lstrip=True, special=True, normalized=False)])
    wheel.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0), add_prefix_space=False)
    return wheel


def cases_of(wheel, texts):
    """[text, ids with specials, text of the ids without specials]."""
    out = []
    for text in texts:
        ids = wheel.encode(text).ids
        out.append([text, ids, wheel.decode(ids, skip_special_tokens=True)])
    return out


def decode_cases(wheel, rng):
    """[ids, text with specials, text without] of random ids: mostly broken UTF-8."""
    out = []
    for _ in range(150):
        ids = [rng.randrange(wheel.get_vocab_size()) for _ in range(rng.randint(0, 12))]
        out.append([ids, wheel.decode(ids, skip_special_tokens=False), wheel.decode(ids, skip_special_tokens=True)])
    return out


def write(name, content):
    path = GOLDEN / name
    path.write_text(json.dumps({"made_by": f"scripts/golden/tokenizer.py, tokenizers {tokenizers.__version__}",
                                **content}, ensure_ascii=True, separators=(",", ":")) + "\n")
    if path.stat().st_size >= 200_000:
        sys.exit(f"{name} is too large: {path.stat().st_size} bytes")
    print(f"{name}: {path.stat().st_size} bytes")


def write_goldens():
    rng = random.Random(20240601)
    lines = [make_sentence(rng) for _ in range(600)]
    texts = [make_string(rng, True) for _ in range(600)] + ["", " ", "  ", "\n", "a" * 70, "ab" * 40, "<s>", " <mask>"]
    for name, lowercase in (("tokenizer_cased.json", False), ("tokenizer_lowercase.json", True)):
        wheel = train(lines, 700, lowercase)
        model = json.loads(wheel.to_str())["model"]
        content = {"lines": lines if not lowercase else None, "vocab_size": 700,
                   "merges": [" ".join(m) for m in model["merges"]], "tokenizer": wheel.to_str(),
                   "cases": cases_of(wheel, texts if not lowercase else texts[:200])}
        if not lowercase:
            content["decode"] = decode_cases(wheel, rng)
        write(name, content)
    dirty = [make_sentence(rng).replace(" ", rng.choice([" ", " . ", " ' ", " 's ", " n't ", " , "])) for _ in range(60)]
    write("tokenizer_clean_up.json", {"cases": [[text, clean_up(text)] for text in dirty]})
    lower = normalizers.Lowercase().normalize_str
    digest = hashlib.sha256()
    for point in list(range(0xD800)) + list(range(0xE000, 0x110000)):
        digest.update(lower(chr(point)).encode())
    write("tokenizer_unicode.json", {"source": f"tokenizers {tokenizers.__version__}",
                                     "lowercase_sha256": digest.hexdigest(), "pieces": piece_cases(rng)})


def piece_cases(rng):
    """[text, sizes in bytes of its pieces]."""
    split = pre_tokenizers.ByteLevel(add_prefix_space=False).pre_tokenize_str
    texts = [make_string(rng, True) for _ in range(400)]
    return [[text, [len(piece) for piece, _ in split(text)]] for text in texts]


def is_utf8(line):
    return line.decode("utf-8", "replace").encode() == line and b"\0" not in line


def corpus_lines(data):
    names = [f"newstest2014/wmt14_translate_de-en_{part}.csv" for part in ("test", "validation")]
    for name, limit in [(names[0], None), (names[1], None), ("corpus/valid.csv.gz", None), ("corpus/train.csv.gz", 50_000)]:
        path = data / name
        opener = gzip.open if path.suffix == ".gz" else open
        rows = []
        with opener(path, "rt", newline="", encoding="utf-8") as file:
            for row in csv.DictReader(file):
                rows += [row["en"], row["de"]]
                if limit and len(rows) >= 2 * limit:
                    break
        yield name, [" ".join(row.splitlines()).encode() for row in rows]


def run(program, *args, data):
    """Lines of its stdout, and CPU seconds, which a busy machine does not change much."""
    start = cpu_seconds(resource.RUSAGE_CHILDREN)
    done = subprocess.run([program, "tokenizer", *args], input=data, stdout=subprocess.PIPE, check=True)
    return done.stdout.decode().split("\n")[:-1], cpu_seconds(resource.RUSAGE_CHILDREN) - start


def cpu_seconds(who):
    usage = resource.getrusage(who)
    return usage.ru_utime + usage.ru_stime


def report(name, wanted, got):
    wrong = [i for i, (a, b) in enumerate(zip(wanted, got)) if a != b]
    same_length = len(wanted) == len(got)
    print(f"{name}: {len(wanted)} lines, {len(wrong)} differ{'' if same_length else f', got {len(got)} lines'}")
    for i in wrong[:3]:
        print(f"  line {i + 1}: want {wanted[i]!r}\n           got {got[i]!r}")
    return bool(wrong) or not same_length


def compare_lines(name, lines, wheel, args):
    """Ids of the lines and text of those ids; also the speed of both, loading apart."""
    texts = [line.decode("utf-8", "replace") for line in lines]
    data = b"\n".join(lines) + b"\n"
    got, seconds = run(args.program, "encode", "--tokenizer", args.tokenizer, data=data)
    _, idle = run(args.program, "encode", "--tokenizer", args.tokenizer, data=b"")
    start = cpu_seconds(resource.RUSAGE_SELF)
    ids = [encoding.ids for encoding in wheel.encode_batch(texts)]
    wheel_seconds = cpu_seconds(resource.RUSAGE_SELF) - start
    wanted = [" ".join(map(str, row)) for row in ids]
    failed = report(f"{name} ids", wanted, got)
    decoded, _ = run(args.program, "decode", "--tokenizer", args.tokenizer, data=("\n".join(wanted) + "\n").encode())
    texts = [wheel.decode(row, skip_special_tokens=True).replace("\n", " ").replace("\r", " ") for row in ids]
    failed |= report(f"{name} texts", texts, decoded)
    megabytes = len(data) / 1e6
    print(f"  {megabytes:.1f} MB, one thread, CPU time: {megabytes / max(seconds - idle, 1e-9):.1f} MB/s with reading and printing, "
          f"wheel {megabytes / wheel_seconds:.2f} MB/s")
    return failed


def compare_training(lines, lowercase, args):
    """Vocabulary and merges learned by both from the same lines, then ids of the same lines."""
    with tempfile.TemporaryDirectory() as folder:
        source, output = pathlib.Path(folder) / "lines.txt", pathlib.Path(folder) / "tokenizer"
        source.write_bytes(b"".join(line + b"\n" for line in lines))
        _, seconds = run(args.program, "train", str(source), "--vocab-size", "8000", "--output", str(output),
                         *(["--lowercase"] if lowercase else []), data=b"")
        wheel = train([line.decode() for line in lines], 8000, lowercase)
        wanted = json.loads(wheel.to_str())["model"]
        ours = Tokenizer.from_file(str(output / "tokenizer.json"))
        got = json.loads(ours.to_str())["model"]
        name = f"trained on {len(lines)} lines{', lower-cased' if lowercase else ''} in {seconds:.2f} CPU s:"
        failed = report(f"{name} merges", wanted["merges"], got["merges"])
        failed |= report(f"{name} vocabulary", sorted(wheel.get_vocab().items()), sorted(ours.get_vocab().items()))
        args = argparse.Namespace(program=args.program, tokenizer=str(output))
        return failed | compare_lines(name, lines, wheel, args)


def compare(args):
    path = pathlib.Path(args.tokenizer)
    wheel = Tokenizer.from_file(str(path / "tokenizer.json" if path.is_dir() else path))
    rng = random.Random(7)
    failed = False
    if args.data:
        for name, lines in corpus_lines(pathlib.Path(args.data)):
            failed |= compare_lines(name, lines, wheel, args)
        for lowercase in (False, True):
            failed |= compare_training(lines[:60_000], lowercase, args)
    strings = [make_string(rng, False).encode() for _ in range(80_000)] + [make_bytes(rng) for _ in range(20_000)]
    failed |= compare_lines("generated", strings, wheel, args)
    for lowercase in (False, True):
        failed |= compare_training([line for line in strings if is_utf8(line)][:30_000], lowercase, args)
    rows = [[rng.randrange(wheel.get_vocab_size()) for _ in range(rng.randint(0, 20))] for _ in range(50_000)]
    got, _ = run(args.program, "decode", "--tokenizer", args.tokenizer,
                 data="".join(" ".join(map(str, row)) + "\n" for row in rows).encode())
    wanted = [wheel.decode(row, skip_special_tokens=True).replace("\n", " ").replace("\r", " ") for row in rows]
    failed |= report("random ids", wanted, got)
    return failed


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--compare", action="store_true")
    parser.add_argument("--program", default="linformer")
    parser.add_argument("--tokenizer", help="a directory with tokenizer.json")
    parser.add_argument("--data", help="a directory with newstest2014/ and corpus/")
    args = parser.parse_args()
    if not args.compare:
        write_goldens()
    elif not args.tokenizer:
        parser.error("--compare needs --tokenizer")
    elif compare(args):
        sys.exit("there are differences")


if __name__ == "__main__":
    main()
