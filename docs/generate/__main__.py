"""Write every generated page: ``python -m docs.generate [FOLDER]``, into the checkout where no folder is named."""

import sys
from pathlib import Path

from docs.generate import ROOT, generated

FOLDER = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT

for path, content in generated():
    file = FOLDER / path
    file.parent.mkdir(parents=True, exist_ok=True)
    if not file.exists() or file.read_bytes() != content:
        file.write_bytes(content)
        print(f"written: {path}")
