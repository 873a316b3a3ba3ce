#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes tests/golden/scoring.json: generated corpora with the scores that sacreBLEU gives them.

Usage: scoring.py [OUTPUT]. Needs sacrebleu 2.6.0 and numpy; the corpora depend on the seed below only.
"""
import json
import pathlib
import random
import sys

import numpy
import sacrebleu
from sacrebleu.metrics import BLEU, CHRF
from sacrebleu.significance import PairedTest, _bootstrap_resample, estimate_ci

SEED = 20240501
NUM_CORPORA = 240
WORDS = ("the cat sat on a mat der Hund läuft über die Straße und no yes It's don't I'm U.S. e.g. z.B. Dr. "
         "well-known E-Mail Größe naïve").split()
NUMBERS = ["3.14", "1,000", "1,000.50", "2-3", "10-year", "5.", ".5", "7,", "12:30", "99%", "-4", "2014-05-03", "1.a", "a.1",
           "٣.٤", "1..2", "4--5", "6.-7", "0,-"]
MARKS = list(".,!?;:-'\"()[]{}<>/\\|@#$%^&*_=+~`") + ["...", "--", ",.", ".,", "!?", "“", "”", "–", "…", "«", "»"]
ENTITIES = ["&quot;", "&amp;", "&lt;", "&gt;", "&amp;lt;", "&amp;quot;", "&nbsp;", "&", "<skipped>", "<skip<skipped>ped>", "-\n",
            "a-\nb", "x\ny", "\n"]
SPACES = [" ", " ", " ", " ", "  ", "\t", "\u00a0", "\u2003", "\u3000", "\u0085", "\u1680", "\u2028", "\u202f", "\u001c", "\u001f",
          "\u200b", "\ufeff", "\r", "\v"]
SYMBOLS = ["😀", "👩‍👩‍👧", "🇩🇪", "e\u0301", "n\u0303o", "ü", "u\u0308", "日本語", "Привет", "א", "𝔘𝔫", "\U0010ffff", "ﬁ", "İ", "ß"]


def piece(rng, odd):
    draw = rng.random()
    if draw < 1 - odd:
        return rng.choice(WORDS)
    kind = rng.choice([NUMBERS, MARKS, ENTITIES, SYMBOLS])
    text = rng.choice(kind)
    return text + rng.choice(["", rng.choice(MARKS), rng.choice(WORDS)]) if rng.random() < 0.4 else text


def segment(rng, odd, longest):
    if rng.random() < 0.06:
        return rng.choice(["", " ", "\u00a0", "."])
    pieces = [piece(rng, odd) for _ in range(rng.randint(1, longest))]
    text = pieces[0]
    for item in pieces[1:]:
        text += (rng.choice(SPACES) if rng.random() < odd else " ") + item
    return text + (rng.choice(SPACES) if rng.random() < 0.1 else "")


def changed(rng, text, odd, amount):
    """A hypothesis: the reference with some of its words replaced, dropped, doubled or moved."""
    words = text.split(" ")
    result = []
    for word in words:
        draw = rng.random()
        if draw < amount:
            result += rng.choice([[], [piece(rng, odd)], [word, word], [word, piece(rng, odd)]])
        else:
            result.append(word)
    if len(result) > 2 and rng.random() < amount:
        place = rng.randrange(len(result) - 1)
        result[place], result[place + 1] = result[place + 1], result[place]
    return " ".join(result)


def corpus(rng, index):
    size = rng.choice([1, 2, 3, 5])
    odd = rng.choice([0.0, 0.3, 0.7])
    amount = rng.choice([0.0, 0.05, 0.15, 0.3])
    longest = rng.choice([4, 12, 18])
    references = [segment(rng, odd, longest) for _ in range(size)]
    hypotheses = [changed(rng, text, odd, amount) for text in references]
    if index % 40 == 0:
        hypotheses = [""] * size
    elif index % 40 == 1:
        hypotheses = ["zzz qqq"] * size
    elif index % 40 == 2:
        hypotheses = [rng.choice(hypotheses) if rng.random() < 0.5 else "" for _ in hypotheses]
    elif index % 40 == 3:
        references = [""] * size
    return hypotheses, references


def scored(hypotheses, references):
    entry = {"h": hypotheses, "r": references}
    for name in ("13a", "none"):
        metric = BLEU(tokenize=name)
        score = metric.corpus_score(hypotheses, [references])
        entry[name] = [score.score, *score.precisions, score.bp, score.sys_len, score.ref_len]
        entry.setdefault("line", score.format(signature=str(metric.get_signature())))
    entry["chrf"] = CHRF().corpus_score(hypotheses, [references]).score
    if any(references):
        entry["tokens"] = BLEU()._preprocess_segment(references[0])
    return entry


def resampled(rng, size):
    references = [segment(rng, 0.1, 12) for _ in range(size)]
    first = [changed(rng, text, 0.1, 0.2) for text in references]
    second = [changed(rng, text, 0.1, 0.3) for text in references]
    metric = BLEU()
    line = metric.corpus_score(first, [references], n_bootstrap=1000).format(signature=str(metric.get_signature()))
    metric = BLEU()
    _, scores = _bootstrap_resample(metric._extract_corpus_statistics(first, [references]), metric)
    mean, half_width = estimate_ci(numpy.array([score.score for score in scores]))
    _, paired = PairedTest([("first", first), ("second", second)], {"BLEU": BLEU()}, [references], "bs")()
    return {"r": references, "first": first, "second": second, "line": line, "mean": float(mean),
            "half_width": float(half_width), "p": paired["BLEU"][1].p_value}


def main():
    default = pathlib.Path(__file__).resolve().parents[2] / "tests/golden/scoring.json"
    output = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else default
    rng = random.Random(SEED)
    draws = {str(bound): numpy.random.default_rng(12345).choice(bound, size=24).tolist()
             for bound in (1, 2, 3, 7, 3003, 2**31 + 11)}
    golden = {
        "made_by": "scripts/golden/scoring.py",
        "versions": {"sacrebleu": sacrebleu.__version__, "numpy": numpy.__version__},
        "seed": SEED,
        "draws": draws,
        "chrf_signature": (lambda metric: (metric.corpus_score(["a"], [["a"]]), str(metric.get_signature()))[1])(CHRF()),
        "corpora": [scored(*corpus(rng, index)) for index in range(NUM_CORPORA)],
        "bootstrap": [resampled(rng, size) for size in (3, 12, 40)],
    }
    output.write_text(json.dumps(golden, ensure_ascii=False, separators=(",", ":")) + "\n", encoding="utf-8")
    print(output, output.stat().st_size, "bytes")


if __name__ == "__main__":
    main()
