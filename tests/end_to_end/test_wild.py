"""Strangers' files, unmodified and without an option: nearly all are checked, and the message for the others works when pasted."""

import importlib.util
import shlex

import pytest

from tests.end_to_end.wild import WILD, asks_for_a_function, check, command, commands, entries, stage

ENTRIES = entries(WILD)
CHECKED = [entry for entry in ENTRIES if entry.expect == "checked"]
MESSAGE = [entry for entry in ENTRIES if entry.expect == "message"]


def named(entry):
    return entry.name


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("wild")
    stage(ENTRIES, place)
    return place


@pytest.fixture(scope="module")
def files(folder):
    """The staged files before anything ran."""
    return snapshot(folder)


@pytest.fixture(scope="module")
def said(folder, files):
    return check(ENTRIES, folder)


def snapshot(folder):
    ours = {"__pycache__", ".initcheck_cache"}
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file() and not ours & set(path.parts)}


def test_the_corpus_is_large_and_mostly_expected_to_be_checked():
    assert len(ENTRIES) >= 55
    assert len(CHECKED) / len(ENTRIES) >= 0.9
    assert all(entry.expect in {"checked", "message"} for entry in ENTRIES)
    assert len({entry.name for entry in ENTRIES}) == len(ENTRIES)


@pytest.mark.slow
def test_nine_of_ten_are_checked(said):
    failed = {name: answer.complaint for name, answer in said.items() if answer.complaint}
    told = "\n".join(f"{name}: {complaint}" for name, complaint in failed.items())
    assert 1 - len(failed) / len(ENTRIES) >= 0.9, f"{len(failed)} of {len(ENTRIES)} are not checked:\n{told}"


@pytest.mark.slow
@pytest.mark.parametrize("entry", CHECKED, ids=named)
def test_built_and_run(entry, said):
    answer = said[entry.name]
    assert not answer.complaint
    assert all(model["parameters"] > 0 for model in answer.models)


@pytest.mark.slow
@pytest.mark.parametrize("entry", [entry for entry in CHECKED if entry.parameters], ids=named)
def test_where_the_file_decides_the_sizes_they_are_the_users(entry, said):
    """The number of parameters was counted by hand: a model of another size is not the user's."""
    assert entry.parameters in [model["parameters"] for model in said[entry.name].models], said[entry.name].complaint


@pytest.mark.slow
@pytest.mark.parametrize("entry", [entry for entry in CHECKED if entry.fault.startswith("IC")], ids=named)
def test_a_real_fault_is_found(entry, said):
    found = {finding["code"] for model in said[entry.name].models for finding in model["findings"]}
    assert entry.fault in found, said[entry.name].complaint


@pytest.mark.slow
def test_nothing_was_written(folder, files, said):
    assert snapshot(folder) == files


@pytest.mark.slow
@pytest.mark.parametrize("entry", MESSAGE, ids=named)
def test_the_message_works_when_pasted(entry, tmp_path):
    if entry.missing and importlib.util.find_spec(entry.missing):
        pytest.skip(f"{entry.missing} is installed here")
    stage([entry], tmp_path)
    code, out, err = command([entry.main], tmp_path)
    text = out + err
    assert code in {4, 5}, text
    assert "Traceback" not in text
    hint = text[text.rindex("help:") :] if "help:" in text else ""
    assert hint, text
    found = commands(hint)
    if entry.missing:
        assert any(kind == "pip" and plain(words[0]) == plain(entry.missing) for kind, words in found), hint
        return
    file = asks_for_a_function(hint)
    if file:
        assert (tmp_path / file).is_file(), f"{file} is not the file's name from here"
        assert entry.cure, f"no cure is stored for {entry.name}"
        with (tmp_path / file).open("a", encoding="utf-8") as handle:
            handle.write(entry.cure)
    pasted = [words for kind, words in found if kind == "initcheck"] or ([(str(entry.main),)] if file else [])
    assert pasted, f"nothing to paste in: {hint}"
    code, out, err = command(pasted[0], tmp_path)
    assert code in {0, 1}, f"$ initcheck {shlex.join(pasted[0])}\n{out}{err}"


def plain(name):
    return name.lower().replace("_", "-").partition("==")[0]
