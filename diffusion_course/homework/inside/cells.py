"""IPython's shell without a kernel around it: it runs cells and collects what they show as text, up to a bound.

Why no ipykernel: its outputs would reach the grader over ZeroMQ, whose receiver stores a message of endless parts
whatever its limits say (tried: 600 MB in 4 s with RCVHWM 2 and MAXMSGSIZE 2 MB), and its connection is eight sockets
where one pair is enough. A notebook sees no difference but that `get_ipython()` has no `kernel`. Pictures and HTML of a
stranger are shown to nobody, so they are not made.
"""

import io
import sys

from IPython.core.displayhook import DisplayHook
from IPython.core.displaypub import DisplayPublisher
from IPython.core.interactiveshell import InteractiveShell
from traitlets import Any, Type
from traitlets.config import Config

MAX_SHOWN = 2**18  # characters of one cell: of twelve bytes each they still fit into a message
CUT = "\n… more output was cut.\n"


class Shown(io.StringIO):
    """sys.stdout and sys.stderr of the cells, and what `display` shows."""

    def clear(self):
        self.seek(0)
        self.truncate()

    def write(self, text):
        room = MAX_SHOWN - self.tell()
        if room >= 0:
            super().write(text[:room] + CUT * (len(text) > room))
        return len(text)

    def close(self):
        """Nothing: the next cell has it again."""


class Publisher(DisplayPublisher):
    """Takes what `display` shows."""

    def publish(self, data, metadata=None, source=None, *, update=False, **_):
        if not update:
            self.shell.shown.write(f"{data.get('text/plain', '')}\n")

    def clear_output(self, wait=False):
        self.shell.shown.clear()


class Hook(DisplayHook):
    """Takes the value of a cell's last line."""

    def write_output_prompt(self):
        pass

    def write_format_data(self, format_dict, md_dict=None):
        self.shell.shown.write(f"{format_dict.get('text/plain', '')}\n")


class Shell(InteractiveShell):
    """A shell whose every output goes to `shown`."""

    displayhook_class = Type(Hook)
    display_pub_class = Type(Publisher)
    shown = Any()

    @classmethod
    def for_cells(cls):
        """The one shell of this process, with the standard streams turned to it."""
        sys.path.append("")  # modules that a cell writes beside the notebook; none takes the name of another
        sys.stdout = sys.stderr = shown = Shown()
        made = cls.instance(shown=shown, config=Config(HistoryManager={"enabled": False}))
        made.display_formatter.active_types = ["text/plain"]
        return made

    def _showtraceback(self, etype, evalue, stb):
        self.shown.write("\n".join(stb))

    def system(self, cmd):
        """`!cmd` in a cell. IPython's own way needs a terminal, which the sandbox has not."""
        print(self.getoutput(cmd, split=False, depth=1), end="")

    def enable_gui(self, gui=None):
        """Nothing: `%matplotlib inline` asks for it, and there is no screen."""

    def ask_exit(self):
        """`exit` in a cell ends the cell, not the process: the rest of the notebook is still wanted."""
        raise SystemExit
