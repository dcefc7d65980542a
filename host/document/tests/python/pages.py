"""Unpacks the HTML, XML and JSON files of source packages and lists those that make a varied corpus."""

import json
import sys
import tarfile
from pathlib import Path

KINDS = {".html": "html", ".htm": "html", ".xhtml": "html", ".xml": "xml", ".rss": "xml", ".json": "json"}

# One in so many files of a folder with hundreds of alike ones.
EVERY = {"formasaurus": 9, "feedparser": 30}

BYTES = range(400, 2_000_000)


def kind(name):
    if "/test_webpages/" in name and not name.endswith(".txt"):
        return "html"
    return KINDS.get(Path(name).suffix.lower())


def unpack(archive, folder):
    """The pages of one archive; a package may hold alike files by the hundred, of which a part will do."""
    package = archive.name.split("-")[0].split("_")[0]
    with tarfile.open(archive) as tar:
        files = [file for file in tar if file.isfile() and file.size in BYTES and kind(file.name)]
        files.sort(key=lambda file: file.name)
        for number, file in enumerate(files):
            if number % EVERY.get(package, 1):
                continue
            target = folder / file.name.replace("/", "__")
            if not target.exists():
                target.write_bytes(tar.extractfile(file).read())
            yield {"path": str(target), "name": file.name, "kind": kind(file.name)}


def main():
    folder = Path(json.load(sys.stdin)["folder"])
    unpacked = folder / "unpacked"
    unpacked.mkdir(exist_ok=True)
    pages = [page for archive in sorted(folder.glob("*.tar.gz")) for page in unpack(archive, unpacked)]
    json.dump(pages, sys.stdout)


main()
