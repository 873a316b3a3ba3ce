# SPDX-License-Identifier: Apache-2.0
"""Golden CSV rows as pandas reads them: tests/golden/csv_*.csv and csv_rows.json.

Run: .deps/oracles/bin/python scripts/golden/csv_rows.py   (needs pandas)
"""

import io
import json
import pathlib
import random

import pandas

GOLDEN = pathlib.Path(__file__).resolve().parents[2] / "tests" / "golden"

CELLS = [
    "plain", "with, comma", 'with "quotes"', '"', '""', ",", "two\nlines", "ends with newline\n", "\n",
    " leading and trailing ", "NA", "null", "None", "nan", "NaN", "-1.#IND", "#N/A", "1e5", "007", "TRUE",
    "Grüße aus München – schön!", "日本語", "e\u0301 combining", "\U0001f469\u200d\U0001f469\u200d\U0001f467",
    "line\u2028separator", "next\u0085line", "\ufeffinner mark", "tab\there", "'single'", "a;b|c", "\\n", "=cmd()",
    "x" * 500,
]


def write(rows, newline, final_newline=True, quote_all=False):
    out = io.StringIO()
    table = pandas.DataFrame(rows, columns=["de", "en"])
    table.to_csv(out, index=False, lineterminator=newline, quoting=1 if quote_all else 0)
    text = out.getvalue()
    return text if final_newline else text[: -len(newline)]


def read(text, **options):
    return pandas.read_csv(io.BytesIO(text.encode()), dtype=str, **options)


def main():
    draw = random.Random(7)
    rows = [[draw.choice(CELLS), draw.choice(CELLS)] for _ in range(300)]
    texts = {
        "lf": write(rows, "\n"),
        "crlf": write(rows, "\r\n", quote_all=True),
        "no_final_newline": write(rows[:20], "\n", final_newline=False),
        "bom": "\ufeff" + write(rows[:20], "\n"),
        "inner_quote": 'de,en\na"b,c""d\n5" disk,"x"\n\n"last",row\n',
    }
    answers = {}
    for name, text in texts.items():
        (GOLDEN / f"csv_{name}.csv").write_bytes(text.encode())
        table = read(text, keep_default_na=False)
        answers[name] = [[row.de, row.en] for row in table.itertuples()]
    # What the original sees: its call has pandas' default missing values, which are no text.
    seen = read(texts["lf"], lineterminator="\n")
    missing = [int(i) for i in seen.index[seen.isna().any(axis=1)]]
    content = {"pandas": pandas.__version__, "rows": answers, "missing_in_original": missing}
    (GOLDEN / "csv_rows.json").write_text(json.dumps(content, ensure_ascii=False, indent=0) + "\n")


if __name__ == "__main__":
    main()
