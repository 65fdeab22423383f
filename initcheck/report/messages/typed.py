"""Messages about what was typed or configured."""

from __future__ import annotations

from initcheck.report.messages.page import MessagePage

_FORMS = """
initcheck model.py
initcheck model.py::Net
initcheck 'model.py::Net(width=64)'
initcheck package.module:build
initcheck torchvision:resnet18
initcheck timm:vit_tiny_patch16_224
initcheck hf:./folder
initcheck notebook.ipynb
initcheck weights.pt
initcheck src/
initcheck - < model.py
"""

PAGES = (
    MessagePage(
        "usage",
        "The command line cannot be understood, so nothing was checked (exit code 2).",
        (
            "An option, a rule or a value is misspelt, or two of them exclude each other.",
            "The arguments behind a class are no Python literals: `model.py::Net(width=args.width)`.",
            "No target was given, and the configuration names none.",
        ),
        "error: there is no file and no command 'chekc'\nhelp: did you mean check?",
        (
            ("See the commands and options:", "initcheck --help\ninitcheck check --help"),
            ("Quote a target with arguments, so that the shell leaves it alone:", "initcheck 'model.py::Net(width=64, depth=4)'"),
        ),
    ),
    MessagePage(
        "config",
        "The configuration holds something that initcheck does not know, so nothing was checked (exit code 2).",
        (
            "A key of `[tool.initcheck]` is misspelt, or its value has the wrong type.",
            "`pyproject.toml` or `initcheck.toml` is not valid TOML.",
            "A package that adds rules cannot be imported, or its rule has the code of another one.",
        ),
        "error: pyproject.toml: unknown key 'selct' in [tool.initcheck]\nhelp: did you mean select?",
        (
            ("A configuration that works:", '[tool.initcheck]\ntargets = ["model.py"]\nignore = ["IC209"]\nfail-on = "warning"'),
            ("See which file each setting comes from:", "initcheck -v model.py"),
        ),
    ),
    MessagePage(
        "target-syntax",
        "A target is written in a form that has no meaning.",
        (
            "A file takes two colons, a module one: `model.py::Net`, but `package.module:Net`.",
            "The arguments are no list of Python literals.",
        ),
        "error target-syntax: no module is named model.py; a file takes two colons\nhelp: did you mean model.py::Net?",
        (
            (
                "The forms of a target:",
                _FORMS,
            ),
        ),
    ),
    MessagePage(
        "unknown-name",
        "The file, module or library exists, but it has nothing of this name.",
        (
            "The name is misspelt, or it is made inside a function and cannot be reached from outside.",
            "A library does not offer a model of this name in the installed version.",
        ),
        "error unknown-name: model.py has no top-level name Nte\nhelp: did you mean model.py::Net?",
        (
            ("See what a file offers:", "initcheck targets model.py"),
            ("See what a library offers:", 'python -c "import torchvision; print(*torchvision.models.list_models())"'),
        ),
    ),
    MessagePage(
        "no-model",
        "No PyTorch model was found in anything that was given (exit code 5).",
        (
            "The file defines no subclass of `nn.Module`, and no statement of it makes a model.",
            "Its models are made by another file, or only by a library call that initcheck does not know.",
            "A folder holds no Python file or notebook that git knows of and that is about a model.",
        ),
        "error: no model was found in anything given\nhelp: name what builds it: initcheck package.module:function",
        (
            ("Name the function or class that builds it:", "initcheck model.py::build"),
            ("Or say in the file how the model is built:", "def initcheck_model():\n    return Net(width=64)"),
            ("For hooks, where files without a model are fine:", "initcheck --allow-empty src/"),
        ),
    ),
)
