"""The marks in example and model files: a line at fault ends in `# expect: IC201`, several codes with commas."""

import re
from pathlib import Path

MODELS = Path(__file__).parent / "models"


def expected(path):
    """The (line, code) pairs that a file's marks announce."""
    return {
        (number, code)
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        for code in re.findall(r"IC\d{3}", line.partition("# expect:")[2])
    }
