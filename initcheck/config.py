"""Files, environment and flags become Settings, each value with its origin."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from initcheck.errors import ConfigError, UsageError
from initcheck.records.finding import SEVERITIES
from initcheck.records.settings import LOADERS, Settings

PREFIX = "INITCHECK_"
"""Environment variables begin so; the rest is the key in capitals: `INITCHECK_FAIL_ON`."""

LISTS = ("targets", "select", "ignore")
NUMBERS = ("seed", "batch", "timeout")
SWITCHES = ("trust", "trust-pickle")
TABLES = ("inputs", "args", "rules")
WORDS = {"fail-on": SEVERITIES, "loader": LOADERS}
SINGLE = (*WORDS, *NUMBERS, "jobs", "max-memory", *SWITCHES)
KEYS = tuple(key for key in (*LISTS, *SINGLE, *TABLES) if key not in SWITCHES)
"""All keys of a configuration file."""

COMMAND_LINE = ("output-format", "color")
"""Keys that only the environment and the command line know."""

_MEMORY = re.compile(r"(\d+(?:\.\d+)?)\s*(%|[KMGT]i?B?|B)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Configuration:
    """What is in force.

    `targets` are written as the working directory sees them; `inputs` are ("target", "text") pairs, `arguments` as well: the constructor
    arguments of a class or function, as they stand between the parentheses; `origins` hold
    ("key", "where it comes from") for every value that is not the default.
    """

    settings: Settings = field(default_factory=Settings)
    targets: tuple[str, ...] = ()
    inputs: tuple[tuple[str, str], ...] = ()
    arguments: tuple[tuple[str, str], ...] = ()
    origins: tuple[tuple[str, str], ...] = ()

    def inputs_of(self, *specs: str) -> tuple[str, ...]:
        """The input texts for a target under any of its spellings."""
        return tuple(text for target, text in self.inputs if target in specs)

    def arguments_of(self, *specs: str) -> str | None:
        """The constructor arguments for a target under any of its spellings, None where there are none."""
        return next((text for target, text in self.arguments if target in specs), None)


def load(start: Path | None = None, environ: Mapping[str, str] | None = None, flags: Mapping[str, Any] | None = None) -> Configuration:
    """Reads the nearest configuration file above `start`, then the environment, then `flags`; later ones win.

    `flags` hold the fields of Settings; None means not given.

    Raises:
        ConfigError: for an unknown key or a value that is not understood, naming the file or the variable.
        UsageError: for a flag that names no rule.
    """
    folder = (start or Path.cwd()).resolve()
    found = _nearest(folder)
    configuration = Configuration()
    if found is not None:
        path, table = found
        configuration = _apply(configuration, _checked(table, path), str(path), path.parent)
    configuration = _apply(configuration, _from_environment(os.environ if environ is None else environ), "environment", Path.cwd())
    for key, value in (flags or {}).items():
        if value is not None and value != ():
            settings = replace(configuration.settings, **{key: value})
            configuration = replace(configuration, settings=settings, origins=(*configuration.origins, (key, "command line")))
    _check_rules(configuration)
    return configuration


def memory_limit(text: str, available: int) -> int:
    """Bytes in `4GB`, `512MiB` or `80%` of what is available; 0 when a share of something unknown.

    Raises:
        UsageError: when it is no such text, or nothing.
    """
    found = _MEMORY.fullmatch(text.strip())
    if found is None or not float(found[1]):
        raise UsageError(f"--max-memory: {text!r} is no size", "write a size such as 4GB, or a share of the available memory such as 80%")
    number, unit = float(found[1]), found[2].upper()
    if unit == "%":
        return int(available * number / 100)
    return int(number * (1024 if "I" in unit else 1000) ** "BKMGT".index(unit[0]))


def suggestion(word: str, known: Sequence[str], otherwise: str = "") -> str:
    """`did you mean X?`, else `otherwise`, else what there is."""
    import difflib

    close = difflib.get_close_matches(word, known, n=1)
    return f"did you mean {close[0]!r}?" if close else otherwise or f"known: {', '.join(known)}"


def _nearest(folder: Path) -> tuple[Path, dict[str, Any]] | None:
    for parent in (folder, *folder.parents):
        own, shared = parent / "initcheck.toml", parent / "pyproject.toml"
        if own.is_file():
            return own, _read(own)
        if shared.is_file():
            table = _read(shared).get("tool", {}).get("initcheck")
            if table is not None:
                return shared, table
    return None


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{path}: {error}", "the file must be valid TOML in UTF-8") from error


def _checked(table: Any, path: Path) -> dict[str, Any]:
    if not isinstance(table, dict):
        raise ConfigError(f"{path}: initcheck must be a table", "write [tool.initcheck]")
    for key, value in table.items():
        if key in SWITCHES:
            raise ConfigError(f"{path}: {key} is not for a file", f"a project does not vouch for itself: pass --{key} where you trust it")
        if key not in KEYS:
            raise ConfigError(f"{path}: unknown key {key!r}", suggestion(key, KEYS))
        _check_value(key, value, str(path))
    return table


def _check_value(key: str, value: Any, where: str) -> None:
    wanted = ""
    if key in LISTS and not (isinstance(value, list) and all(isinstance(item, str) for item in value)):
        wanted = "a list of strings"
    elif key in WORDS and value not in WORDS[key]:
        wanted = f"one of {', '.join(WORDS[key])}"
    elif key in ("seed", "batch") and (not isinstance(value, int) or isinstance(value, bool) or value < 0):
        wanted = "a whole number, 0 or more"
    elif key == "timeout" and (not isinstance(value, (int, float)) or isinstance(value, bool) or not 0 < value < float("inf")):
        wanted = "seconds above 0"
    elif key == "jobs" and not (value == "auto" or (isinstance(value, int) and not isinstance(value, bool) and value > 0)):
        wanted = "auto or a whole number above 0"
    elif key == "max-memory" and not (isinstance(value, str) and _MEMORY.fullmatch(value.strip())):
        wanted = "a size such as 4GB or a share such as 80%"
    elif key in SWITCHES and not isinstance(value, bool):
        wanted = "true or false"
    elif key in TABLES and not isinstance(value, dict):
        wanted = "a table"
    if wanted:
        raise ConfigError(f"{where}: {key} must be {wanted}, got {value!r}")


def _from_environment(environ: Mapping[str, str]) -> dict[str, Any]:
    import difflib

    table: dict[str, Any] = {}
    names = {PREFIX + key.upper().replace("-", "_"): key for key in (*LISTS, *SINGLE)}
    others = {PREFIX + key.upper().replace("-", "_") for key in COMMAND_LINE}
    for name, text in environ.items():
        if not name.startswith(PREFIX) or name in others or not text:
            continue
        if name not in names:
            # other programs may use the prefix, so only what looks like a slip of the pen is an error
            close = difflib.get_close_matches(name, [*names, *others], n=1, cutoff=0.85)
            if close:
                raise ConfigError(f"unknown environment variable {name}", f"did you mean {close[0]}?")
            continue
        key = names[name]
        table[key] = _parsed(key, text)
        _check_value(key, table[key], name)
    return table


def _parsed(key: str, text: str) -> Any:
    if key in LISTS:
        return [item.strip() for item in text.split(",") if item.strip()]
    if key in NUMBERS:
        try:
            return float(text) if key == "timeout" else int(text)
        except ValueError:
            return text
    if key in SWITCHES:
        return {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}.get(text.lower(), text)
    return int(text) if key == "jobs" and text.isdigit() else text


def _apply(before: Configuration, table: Mapping[str, Any], origin: str, folder: Path) -> Configuration:
    changes: dict[str, Any] = {}
    known = {member.name for member in fields(Settings)}
    after = replace(before, origins=before.origins + tuple((key, origin) for key in table))
    for key, value in table.items():
        name = key.replace("-", "_")
        if key == "targets":
            after = replace(after, targets=tuple(_seen_from_here(target, folder) for target in value))
        elif key == "inputs":
            after = replace(after, inputs=_inputs(value, origin, folder))
        elif key == "args":
            after = replace(after, arguments=_arguments(value, origin, folder))
        elif key == "rules":
            changes["options"] = _options(value, origin)
        elif name in known:
            changes[name] = _as_setting(key, value)
    return replace(after, settings=replace(before.settings, **changes))


def _as_setting(key: str, value: Any) -> Any:
    if key == "jobs":
        return 0 if value == "auto" else value
    return tuple(value) if isinstance(value, list) else float(value) if key == "timeout" else value


def _seen_from_here(target: str, folder: Path) -> str:
    """A path that a file in `folder` wrote, as the working directory sees it; import paths stay."""
    path, mark, rest = target.partition("::")
    if (":" in path and not Path(path).drive) or not (folder / path).exists():
        return target
    try:
        shown = os.path.relpath(folder / path)
    except ValueError:  # another drive
        shown = str(folder / path)
    return shown + mark + rest


def _inputs(table: Mapping[str, Any], origin: str, folder: Path) -> tuple[tuple[str, str], ...]:
    pairs = []
    for target, value in table.items():
        texts = value if isinstance(value, list) else [value]
        if not all(isinstance(text, str) for text in texts):
            raise ConfigError(f"{origin}: inputs of {target!r} must be text", f'write "{target}" = "x=float32[8,3,64,64]"')
        pairs += [(_seen_from_here(target, folder), text) for text in texts]
    return tuple(pairs)


def _arguments(table: Mapping[str, Any], origin: str, folder: Path) -> tuple[tuple[str, str], ...]:
    """`{depth = 4}` becomes `depth=4`, `[3, 10]` becomes `3, 10`."""
    pairs = []
    for target, value in table.items():
        if not isinstance(value, (dict, list)):
            raise ConfigError(f"{origin}: args of {target!r} must be a table or a list", f'write "{target}" = {{ width = 64 }}')
        written = [f"{name}={one!r}" for name, one in value.items()] if isinstance(value, dict) else [repr(one) for one in value]
        pairs.append((_seen_from_here(target, folder), ", ".join(written)))
    return tuple(pairs)


def _options(table: Mapping[str, Any], origin: str) -> tuple[tuple[str, float], ...]:
    pairs = []
    for rule, options in table.items():
        if not isinstance(options, dict):
            raise ConfigError(f"{origin}: rules.{rule} must be a table", f"write [tool.initcheck.rules.{rule}]")
        for option, value in options.items():
            if isinstance(value, bool) or not isinstance(value, (int, float)):
                raise ConfigError(f"{origin}: rules.{rule}.{option} must be a number, got {value!r}")
            pairs.append((f"{rule}.{option}", float(value)))
    return tuple(pairs)


def _check_rules(configuration: Configuration) -> None:
    """Every code, name and option must exist: a misspelt `ignore` must not pass in silence."""
    settings = configuration.settings
    if not (settings.select or settings.ignore or settings.options):
        return
    from initcheck.rules import catalogue, explain, matches

    origins = dict(configuration.origins)
    infos = catalogue()
    known = [text for info in infos for text in (info.code, info.name)]
    for key in ("select", "ignore"):
        for pattern in getattr(settings, key):
            if pattern and any(matches(info, pattern) for info in infos):
                continue
            origin = origins.get(key, "command line")
            message, hint = f"no rule matches {pattern!r}", suggestion(pattern, known, "`initcheck rule --all` lists codes and names")
            if origin == "command line":
                raise UsageError(f"--{key}: {message}", hint)
            raise ConfigError(f"{origin}: {key}: {message}", hint)
    for name, _ in settings.options:
        rule, _, option = name.partition(".")
        try:
            info = explain(rule)
        except UsageError as error:
            raise ConfigError(f"{origins.get('rules', 'rules')}: {error.message}", error.hint) from error
        owned = [member.name for member in info.options]
        if option not in owned:
            hint = suggestion(option, owned) if owned else "it has none"
            raise ConfigError(f"{origins.get('rules', 'rules')}: the rule {rule} has no option {option!r}", hint)
