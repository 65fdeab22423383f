"""Messages about the measured run, and about the process in which all of it happens."""

from __future__ import annotations

from initcheck.report.messages.page import MessagePage

_INPUT = "def initcheck_input():\n    return torch.randn(8, 3, 32, 32)"

PAGES = (
    MessagePage(
        "input-unknown",
        "No input could be found that the model accepts; the weights themselves were judged, the signal was not.",
        ("The forward pass takes something that names, types and layers do not tell: a graph, a custom class, a nested structure.",),
        "error input-unknown: no input is known for model.py::Net; forward(self, batch)",
        (
            ("Give its shape; the batch is added:", "initcheck model.py --input 3,32,32"),
            (
                "Several inputs, by the names of the arguments:",
                "initcheck model.py --input 'ids=int64[2,128]<30522' --input 'mask=bool[2,128]'",
            ),
            ("Or put this into the file:", _INPUT),
        ),
    ),
    MessagePage(
        "forward-failed",
        "The model was built, but its forward pass raised an exception; the weights themselves were judged, the signal was not.",
        (
            "The inputs that were tried have the wrong shape, type or range.",
            "The forward pass has a fault of its own: an attribute that does not exist, a shape that fits no input.",
        ),
        "error forward-failed: fc1 (Linear) wants last dimension 784, got 28\nhelp: initcheck model.py --input 784",
        (
            ("Give the input that it is meant for:", "initcheck model.py --input 1,28,28"),
            ("Or put this into the file:", _INPUT),
        ),
    ),
    MessagePage(
        "lazy-layers",
        "Some layers get their weights only when the first batch comes in, so there is nothing to judge yet.",
        ("`nn.LazyLinear` and its kin know their sizes after one forward pass.",),
        "error lazy-layers: the model has lazy layers whose weights do not exist yet",
        (
            (
                "Run one batch where the model is built:",
                "def initcheck_model():\n    model = Net()\n    model(torch.randn(8, 1, 28, 28))\n    return model",
            ),
        ),
    ),
    MessagePage(
        "not-measured",
        "The model was built but did not run, so what is silent here says nothing.",
        ("No input was found, or the forward pass failed; the report says which.",),
        "model.py::Net: error not-measured the model did not run",
        (("Give an input:", "initcheck model.py --input 1,28,28"),),
    ),
    MessagePage(
        "timeout",
        "A target took longer than `--timeout` allows (120 seconds) and was stopped; the other targets were checked.",
        ("The code trains, downloads or loops while the model is built.", "The model is large, or the machine is busy."),
        "error timeout: train.py::model took longer than 120 s and was stopped",
        (("Allow more time:", "initcheck --timeout 600 train.py"), ("Or name the class alone:", "initcheck train.py::Net")),
    ),
    MessagePage(
        "crashed",
        "The process that checked the target died; the other targets were checked.",
        (
            "The code ended the process (`os._exit`) or a compiled extension crashed.",
            "The system ran out of memory and killed it (SIGKILL).",
        ),
        "error crashed: model.py::Net did not finish: the process that ran it died of SIGSEGV",
        (
            ("See whether the code itself does so:", "python -X faulthandler model.py"),
            ("Without executing anything:", "initcheck --static model.py"),
        ),
    ),
    MessagePage(
        "too-many-processes",
        "The code of the target started more and more processes; all of them were ended, the other targets were checked.",
        ("A script starts workers or itself again when it is imported.", "A `fork` in a loop."),
        "error too-many-processes: train.py::model started more than 200 processes and was stopped",
        (
            ("Put the model alone into a function:", "def initcheck_model():\n    return Net(width=64)"),
            ("Without executing anything:", "initcheck --static train.py"),
        ),
    ),
    MessagePage(
        "internal-error",
        "initcheck itself failed (exit code 3): please report it.",
        ("It met something that nobody thought of.",),
        "error internal-error: initcheck itself failed on model.py::Net: KeyError: 'x'",
        (("Report the output of this, with the model if you can:", "initcheck -vv model.py::Net"),),
    ),
    MessagePage(
        "rule-crashed",
        "One rule failed on this model; all others were asked.",
        ("The rule met something that nobody thought of.",),
        "error rule-crashed: IC205 wrong-fan: IndexError: tuple index out of range",
        (("Check with all rules but this one, and report it:", "initcheck --ignore IC205 model.py"),),
    ),
)
