"""Messages about sources that could not be rewritten."""

from __future__ import annotations

from initcheck.report.messages.page import MessagePage

PAGES = (
    MessagePage(
        "merge-conflict",
        "A source holds the markers of a merge that is not finished, so it was not touched.",
        ("git left lines that begin with `<<<<<<<` and `>>>>>>>` in the file.",),
        "error merge-conflict: model.py holds the markers of an unfinished merge; nothing was changed\nhelp: resolve it first: git mergetool model.py",
        (("Resolve it, then fix:", "git mergetool model.py\ninitcheck fix model.py"),),
    ),
    MessagePage(
        "not-writable",
        "A source could not be written; all files hold what they held before.",
        (
            "The file or its folder does not allow writing.",
            "The disk is full, or was taken away.",
        ),
        "error not-writable: cannot write model.py: Permission denied\nhelp: check the permissions",
        (
            ("Give yourself leave to write:", "chmod u+w model.py"),
            ("Or only see what would change:", "initcheck fix --diff model.py"),
        ),
    ),
)
