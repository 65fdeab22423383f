"""Messages about the short trainings of `initcheck verify`."""

from __future__ import annotations

from initcheck.report.messages.page import MessagePage

PAGES = (
    MessagePage(
        "data-missing",
        "The images to train on are not where they were looked for.",
        (
            "`--data mnist` and its kin read whole sets from `--data-dir`, where torchvision puts them; nothing is fetched without `--download`.",
            "`--data DIR` needs the four IDX files of training and test images and labels.",
        ),
        "error data-missing: MNIST is not in data/MNIST/raw\nhelp: initcheck verify ... --data mnist --data-dir data --download fetches it once",
        (
            ("Use the subset of MNIST that comes with initcheck:", "initcheck verify model.py --data auto"),
            ("Fetch the whole set once:", "initcheck verify model.py --data mnist --data-dir data --download"),
        ),
    ),
    MessagePage(
        "download-failed",
        "A set of images could not be fetched by torchvision, or what came is not the set; nothing of it was written.",
        (
            "There is no network, or it needs a proxy.",
            "The server is down, or something else answered in its place: the MD5 sum did not fit.",
        ),
        "error download-failed: cannot fetch MNIST: <urlopen error [Errno -2] Name or service not known>",
        (
            ("Do without: a subset of MNIST comes with initcheck.", "initcheck verify model.py"),
            ("Copy the files there by hand and name the folder:", "initcheck verify model.py --data path/to/raw"),
        ),
    ),
    MessagePage(
        "over-budget",
        "The model is too large, or the machine too slow, for the trainings that fit the budget.",
        (
            "A verdict needs several seeds at several learning rates for two variants, which is a few dozen short trainings.",
            "The work of one step was counted before anything was trained; not even the shortest runs fit.",
        ),
        "error over-budget: the model is too large for a budget of 60 s: 12 trainings of 25 steps need about 340 s\nhelp: --budget 400s",
        (
            ("Give it more time:", "initcheck verify model.py --budget 600s"),
            ("Verify a smaller model of the same kind:", "initcheck verify 'model.py::Net(width=64, depth=4)'"),
            ("Ask for fewer runs:", "initcheck verify model.py --seeds 2 --lrs 0.001 --epochs 1"),
        ),
    ),
    MessagePage(
        "nothing-to-train",
        "No output of the model depends on a parameter that can be trained.",
        (
            "All parameters are frozen (`requires_grad=False`), or the model has none.",
            "The forward pass detaches its result, takes an argmax, or runs under `torch.no_grad()`.",
            "The model is on the meta device, where weights have no values.",
        ),
        "error nothing-to-train: no output of Net depends on a weight that can be trained\nhelp: return the outputs themselves",
        (("Return the outputs before they are detached, for example from a function of the file:", "def initcheck_model(): return Net()"),),
    ),
    MessagePage(
        "not-finite",
        "The weights of both variants hold NaN or infinity before the first step, so there is nothing to compare.",
        ("An initialization divides by zero or overflows.", "A checkpoint with broken weights is loaded while the model is built."),
        "error not-finite: model.py::Net: both variants hold NaN or infinite weights before the first step",
        (("See which weights, and where they were written:", "initcheck check model.py"),),
    ),
    MessagePage(
        "unlike",
        "The two variants cannot be trained on the same task.",
        (
            "One of them takes digits and can be read as ten classes, the other cannot.",
            "Both are trained on random targets, and their outputs differ in shape.",
        ),
        "error unlike: the two variants cannot be trained on the same task: before: each digit as 784 pixels in a row; after: no honest way was found",
        (("Compare a model with a variant of itself:", "initcheck verify model.py --against recommended"),),
    ),
    MessagePage(
        "revision-missing",
        "git could not give the older version of the file.",
        ("There is no such revision, or the file was not there yet.", "The folder is in no git repository, or git is not installed."),
        "error revision-missing: git has no model.py in v1: path 'model.py' does not exist in 'v1'",
        (("See in which revisions the file changed:", "git log --oneline -- model.py"),),
    ),
)
