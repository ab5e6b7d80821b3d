"""tqdm's bar for notebooks as a line of text: no widget, so a saved notebook still has it when it is opened again."""

from typing import Any

import tqdm as library
from IPython.display import display

COLUMNS = 90  # letters, fewer than fit beside each other in a notebook


class tqdm(library.tqdm):
    """`tqdm.tqdm`, drawn in place as an output of the cell; with `leave=False` the line is empty at the end."""

    monitor_interval = 0  # no thread of its own: it would draw into another cell

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.line: Any = None
        super().__init__(*args, **{"ncols": COLUMNS, **kwargs})

    def display(self, msg: str | None = None, pos: int | None = None) -> None:
        text = {"text/plain": str(self) if msg is None else msg}
        if self.line is None:
            self.line = display(text, raw=True, display_id=True)
        else:
            self.line.update(text, raw=True)

    def close(self) -> None:
        if not self.disable:
            self.disable = True
            self._decr_instances(self)
            self.display(None if self.leave else "")
