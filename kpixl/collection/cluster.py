"""A Dask cluster as an executor: the only module that knows Dask.

Scheduler and workers are the office's own; kpixl only hands them files. A worker that dies costs its files a retry on
another, which is Dask's doing.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import contextmanager

from kpixl.problems import failure

PATIENCE = 10.0  # seconds until a scheduler that does not answer is given up


@contextmanager
def cluster(address: str) -> Iterator[Executor]:
    """Connect to the scheduler at `address` for the length of a block.

    Raises KpixlError `scheduler-needs-dask` or `scheduler-unreachable`.
    """
    try:
        from distributed import Client
    except ImportError as error:
        raise failure("scheduler-needs-dask") from error
    try:
        client = Client(address, timeout=PATIENCE, set_as_default=False)
    except (OSError, ValueError) as error:  # no answer, or no address
        raise failure("scheduler-unreachable", address=address, reason=str(error) or type(error).__name__) from error
    with client:
        yield client.get_executor(pure=False)
