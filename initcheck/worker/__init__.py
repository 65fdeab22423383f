"""Runs the engine in child processes, one for each target: plain records in, plain records out.

The parent never imports torch. Where it is safe, one server process imports torch once and forks for each target (`forking`);
elsewhere a process takes one target after the other (`serial`). A crash, an `os._exit`, a hang or a memory without end
costs the target at hand and nothing else.
"""

from initcheck.worker.client import Worker, run, threads_for
from initcheck.worker.outcome import INTERNAL, REPORT_HINT, Outcome, failure_of, reports_of

__all__ = ["INTERNAL", "REPORT_HINT", "Outcome", "Worker", "failure_of", "reports_of", "run", "threads_for"]
