"""Notebooks written by the tests."""

import json


def notebook(*cells, language="python"):
    """The bytes of a notebook; a text is a code cell, a tuple of one text is prose."""
    made = [
        {"cell_type": "markdown", "metadata": {}, "source": [cell[0]]}
        if isinstance(cell, tuple)
        else {"cell_type": "code", "execution_count": None, "metadata": {}, "outputs": [], "source": cell.splitlines(keepends=True)}
        for cell in cells
    ]
    about = {"kernelspec": {"name": "k", "display_name": "K", "language": language}}
    return json.dumps({"cells": made, "metadata": about, "nbformat": 4, "nbformat_minor": 5}, indent=1).encode()
