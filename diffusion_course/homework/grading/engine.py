"""Where submissions are graded: in processes of this machine, or by the workers of a Dask cluster.

Both are a `concurrent.futures.Executor`. On a cluster each submission is a job of its own, and a job whose worker is
lost goes to another. All machines must see the course directory under the same path, and have the same version of this
package.
"""

import contextlib
from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor

PATIENCE = 30  # seconds until a scheduler that does not answer counts as not there


@contextlib.contextmanager
def engine(jobs: int = 1, cluster: str | None = None) -> Iterator[Executor]:
    """What grades `jobs` submissions at once here, or with the workers of the Dask scheduler at the address `cluster`.

    Raises ValueError if there is no scheduler at that address, or no Dask here.
    """
    if cluster is None:
        with ThreadPoolExecutor(jobs) as pool:
            yield pool
        return
    try:
        from distributed import Client
    except ModuleNotFoundError as missing:
        raise ValueError(f'{missing}. Try: pip install "diffusion-course[cluster]"') from missing
    try:
        client = Client(cluster, timeout=PATIENCE)
    except (OSError, ValueError) as error:
        raise ValueError(
            f"no Dask scheduler answers at {cluster!r} ({error}). `dask scheduler` starts one and says its address, "
            "such as tcp://192.168.0.1:8786."
        ) from error
    with client, client.get_executor(pure=False) as pool:
        yield pool
