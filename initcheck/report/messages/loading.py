"""Messages about files and modules that cannot be read."""

from __future__ import annotations

from initcheck.report.messages.page import MessagePage

PAGES = (
    MessagePage(
        "file-missing",
        "A file or folder that was named cannot be read.",
        (
            "The path is misspelt, or meant from another folder: relative paths count from where initcheck was started.",
            "Its permissions do not allow reading.",
        ),
        "error file-missing: cannot find modle.py: no such file or folder (looked in /home/me/project)\nhelp: did you mean model.py?",
        (("See what there is to check below this folder:", "initcheck targets ."),),
    ),
    MessagePage(
        "module-missing",
        "The module after `initcheck run -m` cannot be found.",
        ("Names of modules count from the folder where initcheck was started, and have no `.py` at their end.",),
        "error module-missing: no module project.train is found from /home/me/project",
        (
            ("Run it from the folder that holds the package:", "cd .. && initcheck run -m project.train"),
            ("Or name the file:", "initcheck run train.py"),
        ),
    ),
    MessagePage(
        "encoding",
        "The bytes of a source file are no text in the encoding that the file declares (UTF-8 if it declares none).",
        ("The file was saved in an old encoding, or its encoding comment names one that Python does not know.",),
        "error encoding: cannot read model.py: line 3 is not valid utf-8 (invalid continuation byte)",
        (
            ("Declare the encoding in the first line:", "# -*- coding: latin-1 -*-"),
            ("Or convert the file:", "iconv -f latin1 -t utf8 model.py > converted.py"),
        ),
    ),
    MessagePage(
        "syntax-error",
        "The file is not valid for the Python that runs initcheck.",
        (
            "The file has a typing error, or was written for another version of Python (Python 2, or a newer one).",
            "What was named is no Python source at all.",
        ),
        "error syntax-error: cannot read model.py:12: SyntaxError: '(' was never closed",
        (("See what Python says:", "python -m py_compile model.py"),),
    ),
    MessagePage(
        "not-python",
        "What was named is neither Python source, nor a notebook in Python, nor weights.",
        (
            "The notebook is written in another language, or its file is damaged.",
            "The file has an ending that stands for nothing that can be checked.",
        ),
        "error not-python: cannot read net.ipynb: it is a notebook in julia, not in Python",
        (("Name the file that defines the model:", "initcheck model.py::Net"),),
    ),
    MessagePage(
        "not-readable",
        "The source alone does not say what the model is; it would have to be executed.",
        ("`--static` was given, and sizes or layers come from data, files or code that cannot be followed by reading.",),
        "error not-readable: the source alone does not say what model.py::Net is",
        (("Check it with the parts of the file that it needs executed:", "initcheck model.py::Net"),),
    ),
    MessagePage(
        "changed",
        "A file changed between finding its models and building them.",
        ("An editor or a formatter saved the file while initcheck ran.",),
        "error changed: model.py changed while it was read",
        (("Run it again:", "initcheck model.py"),),
    ),
    MessagePage(
        "missing-import",
        "The model needs a package that cannot be imported.",
        (
            "The package is not installed in the environment that runs initcheck.",
            "It is your own package, and initcheck was started in a folder from which it cannot be found; the message tells where was looked.",
        ),
        "error missing-import: cannot build model.py::Net: model.py:3 imports einops, which is not installed\nhelp: pip install einops",
        (
            ("Install a package of others:", "pip install einops"),
            ("Install your own, so that it is found from everywhere:", "pip install -e ."),
            ("Or tell Python where it is:", "PYTHONPATH=path/to/its/parent initcheck myproject.models:build"),
        ),
    ),
    MessagePage(
        "import-failed",
        "A package is there, but importing it fails.",
        (
            "The installed version does not have what the file asks of it.",
            "The package itself is broken, or needs another one that is not there.",
        ),
        "error import-failed: cannot build model.py::Net: model.py:2 imports mmcv, which fails: ImportError: libGL.so.1",
        (
            ("See the whole cause:", "python -c 'import mmcv'"),
            ("Without importing anything:", "initcheck --static model.py"),
        ),
    ),
    MessagePage(
        "offline",
        "Building the model would download something, and initcheck does not open connections.",
        (
            "The code asks for pretrained weights, a configuration or a vocabulary that is not in the local cache.",
            "`hf:ORGANISATION/NAME` is answered from the local cache alone, so that it is answered at once.",
        ),
        "error offline: cannot find the configuration of org/name: it is no folder, and not in the local Hugging Face cache\n"
        "help: hf download org/name config.json",
        (
            ("Fetch it once, then check as often as you like:", "hf download org/name config.json\ninitcheck hf:org/name"),
            (
                "Build without weights: initial weights are what is checked.",
                "resnet50(weights=None)\ntimm.create_model(name, pretrained=False)",
            ),
        ),
    ),
)
