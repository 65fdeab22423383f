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
)
