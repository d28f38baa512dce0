"""Summarises CSV files as examples/process-files does, with Python's own CSV reader and without its code."""
import csv
import datetime
import json
import os
import sys


def integer(text):
    """A whole number as people write it; a leading zero makes it a code."""
    number = int(text)
    if str(number) != text.lstrip("+"):
        raise ValueError
    return number


def number(text):
    if any(c not in "0123456789.eE+-" for c in text):
        raise ValueError
    digits = text.lstrip("+-")
    if digits[:1] == "0" and digits[1:2].isdigit():
        raise ValueError
    return float(text)


def date(text):
    separator = text[4:5]
    if separator not in ("-", "/"):
        raise ValueError
    if len(text) < 10:
        raise ValueError
    datetime.datetime.fromisoformat(text.replace("/", "-"))
    return text


def column(name, values):
    present = [value for value in values if value != ""]
    result = {"name": name, "type": "empty", "count": len(present), "missing": len(values) - len(present)}
    if not present:
        return {**result, "min": None, "max": None}
    for kind, read in (("integer", integer), ("number", number), ("date", date), ("text", str)):
        try:
            read_values = [read(value) for value in present]
        except ValueError:
            continue
        return {**result, "type": kind, "min": min(read_values), "max": max(read_values)}


def summary(path):
    with open(path, newline="", encoding="utf-8-sig") as text:
        header, *rows = [row for row in csv.reader(text, strict=True) if row]
    rows = [row + [""] * (len(header) - len(row)) for row in rows]
    columns = [column(name, [row[at] for row in rows]) for at, name in enumerate(header)]
    return {"file": os.path.basename(path), "rows": len(rows), "columns": columns}


json.dump([summary(path) for path in sys.argv[1:]], sys.stdout)
