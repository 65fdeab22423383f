"""A seat belt for user code while a model is built and run: no network, no programs, no writes, no stdin. It is not a sandbox.

An audit hook sees what goes through Python, and a few entry points of C++ code are replaced; what passes both by (`ctypes`, compiled
extensions) is only stopped where the worker can ask the kernel for it (Landlock, on Linux). Nothing here withstands code that means harm.
"""

from initcheck.construct.guard.audit import own_process
from initcheck.construct.guard.belt import guarded, torch_defaults
from initcheck.construct.guard.entrances import changed
from initcheck.construct.guard.refusal import Refused, refusal_in, user_line

__all__ = ["Refused", "changed", "guarded", "own_process", "refusal_in", "torch_defaults", "user_line"]
