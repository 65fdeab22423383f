"""Messages about files that hold weights."""

from __future__ import annotations

from initcheck.report.messages.page import MessagePage

PAGES = (
    MessagePage(
        "unsafe-pickle",
        "The file holds pickled Python objects, which can run any code when they are opened; it was not opened.",
        (
            "`torch.save(model, path)` pickles the whole model; `torch.save(model.state_dict(), path)` stores weights alone.",
            "A checkpoint holds objects beside its tensors, such as a configuration class.",
        ),
        "error unsafe-pickle: model.pt holds a pickled Net object, which can run code when opened\n"
        "help: save model.state_dict(), or pass --trust-pickle",
        (
            ("Save the weights alone:", 'torch.save(model.state_dict(), "weights.pt")'),
            ("If you made the file yourself:", "initcheck --trust-pickle model.pt"),
        ),
    ),
    MessagePage(
        "damaged",
        "The file does not hold what its format promises.",
        (
            "A download or a copy stopped early, or the disk was full when it was saved.",
            "It is a pointer of Git LFS, or a web page that was saved in place of the file.",
            "Its ending does not fit its content.",
        ),
        "error damaged: cannot read weights.safetensors: it is a Git LFS pointer, not the weights\nhelp: git lfs pull --include weights.safetensors",
        (("Fetch it again, and compare its size with that of the original:", "ls -l weights.safetensors"),),
    ),
    MessagePage(
        "no-weights",
        "The file could be read, but it holds no weights.",
        ("It holds the state of an optimizer, settings or results.", "It is empty, or all its tensors are integers."),
        "error no-weights: optimizer.pt holds no weights: it is the state of an optimizer",
        (("See what it holds:", "python -c \"import torch; print(torch.load('file.pt', weights_only=True).keys())\""),),
    ),
    MessagePage(
        "load-failed",
        "The model's own code refused the weights that were loaded into it.",
        (
            "Its `load_state_dict`, or a hook that runs before it, expects other names or more than tensors.",
            "It replaces parameters while it is loaded.",
        ),
        "error load-failed: Net.load_state_dict refused the weights of weights.pt: KeyError: 'version'",
        (("Load them in your own code, and check the result:", "initcheck model.py"),),
    ),
    MessagePage(
        "not-written",
        "The filled model could not be written; the file that was asked for is not there, or is the one that was there before.",
        ("The disk is full, or the folder does not allow writing.",),
        "error not-written: cannot write the weights: OSError: [Errno 28] No space left on device",
        (("Write it elsewhere:", "initcheck load model.py --from weights.pt -o /other/disk/model.safetensors"),),
    ),
)
