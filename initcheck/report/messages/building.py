"""Messages about models that cannot be built."""

from __future__ import annotations

from initcheck.report.messages.page import MessagePage

_OWN = "def initcheck_model():\n    return Net(width=64, depth=4)"

PAGES = (
    MessagePage(
        "needs-args",
        "The constructor has arguments without a value, and nothing in the file or beside it tells which value they have.",
        (
            "The arguments come from a command line, a configuration file or data that exist only in a real run.",
            "The values that were tried did not fit together.",
        ),
        "error needs-args: cannot build model.py::Net: nothing tells vocabulary\n  model.py:12: Net(vocabulary=...)",
        (
            ("Give them with the target:", "initcheck 'model.py::Net(width=64, depth=4)'"),
            ("Or put this once into the file; it is used from then on:", _OWN),
            ("Or let the program itself build it:", "initcheck run train.py --config small.yaml"),
        ),
    ),
    MessagePage(
        "build-failed",
        "The code that builds the model raised an exception; the message holds its line and its text.",
        (
            "The code has a fault of its own.",
            "It needs something that only a full run of the script prepares.",
        ),
        "error build-failed: cannot build model.py::Net: model.py:17: AttributeError: 'Net' object has no attribute 'width'",
        (
            ("Let the program run up to its first training step:", "initcheck run train.py"),
            ("Or say how the model alone is built:", _OWN),
            ("See the whole traceback:", "initcheck -vv model.py::Net"),
        ),
    ),
    MessagePage(
        "needs-data",
        "The model's sizes come from a file or data set that is not there.",
        ("A vocabulary, a number of classes or a shape is read from data: `Net(len(vocabulary))`.",),
        "error needs-data: cannot build train.py::model: train.py:14 needs data/train.txt (FileNotFoundError)",
        (
            ("Give the size yourself:", "initcheck 'train.py::Net(vocabulary=10000)'"),
            ("Or run the script where the data are:", "initcheck run train.py"),
        ),
    ),
    MessagePage(
        "needs-device",
        "The code insists on a device that this machine does not have.",
        ("It calls something that works on a GPU only; plain requests such as `.cuda()` are answered on the CPU.",),
        "error needs-device: cannot build model.py::Net: model.py:8 needs another device: RuntimeError: Found no NVIDIA driver",
        (("Choose the device by what there is:", 'device = "cuda" if torch.cuda.is_available() else "cpu"'), ("Or build it apart:", _OWN)),
    ),
    MessagePage(
        "needs-training",
        "What was named only exists after training, and trained weights are no initialization.",
        ("The name is bound by a function that trains, or by a statement that stands behind the training loop.",),
        "error needs-training: cannot build model without training: train.py:40 trains and makes `model`",
        (("Name the class:", "initcheck train.py::Net"), ("Or build the untrained model apart:", _OWN)),
    ),
    MessagePage(
        "no-module",
        "What was named gave something that is no `torch.nn.Module`.",
        (
            "The function returns a pair such as (model, optimizer), or a wrapper around the model.",
            "The name stands for a number, a configuration or a class that is no module.",
        ),
        "error no-module: model.py::build gave a tuple, not a torch.nn.Module; several modules at once cannot be checked",
        (("Return one model:", "def initcheck_model():\n    model, _ = build()\n    return model"),),
    ),
    MessagePage(
        "zero-size",
        "A weight has no elements: something that the model's size depends on did not run.",
        ("A vocabulary or a list of classes is filled by a loop over data, and was still empty.",),
        "error zero-size: train.py::model has a parameter of size zero: embed.weight [0x128]",
        (("Give real sizes:", "initcheck 'train.py::Net(vocabulary=10000)'"), ("Or:", "initcheck run train.py")),
    ),
    MessagePage(
        "exits",
        "The code ends the process while the model is built.",
        ("It parses a command line that lacks a required option, or calls `sys.exit()`.",),
        "error exits: cannot build train.py::model: train.py:9 parses the command line; train.py requires --dataset",
        (
            ("Run it with its options:", "initcheck run train.py --dataset fake"),
            ("Or name the class, which needs none:", "initcheck train.py::Net"),
        ),
    ),
    MessagePage(
        "program-failed",
        "The program that `initcheck run` runs ended with an exception of its own before its first training step.",
        (
            "It lacks what it always needs: data, a file, an option, an answer at the keyboard (standard input is empty).",
            "It expects a launcher such as torchrun, or hardware that is not there.",
        ),
        "error program-failed: train.py did not come to its first step: train.py:14: FileNotFoundError: data/train.csv",
        (
            ("See that it starts training by itself:", "python train.py"),
            ("Or check the model without running the program:", "initcheck train.py"),
        ),
    ),
    MessagePage(
        "refused",
        "The code did something while the model was built that building a model does not need, and was stopped.",
        (
            "It writes or deletes files, opens a connection, starts a program or waits for input.",
            "This is a seat belt against accidents and no sandbox: do not check code that you would not run.",
        ),
        "error refused: train.py:21 deletes a file; building a model must not",
        (
            ("Put the model alone into a function:", _OWN),
            ("If you trust the file:", "initcheck --trust train.py"),
        ),
    ),
    MessagePage(
        "too-large",
        "The model does not fit into the memory that there is.",
        ("Its sizes are those of a large machine.",),
        "error too-large: cannot build model.py::Net: model.py:30: the model does not fit into memory",
        (
            ("Check a smaller one of the same kind: the rules look at the same blocks.", "initcheck 'model.py::Net(depth=2)'"),
            ("Or allow more memory:", "initcheck --max-memory 64GB model.py"),
        ),
    ),
)
