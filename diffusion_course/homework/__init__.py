"""The homework's grader: what a submission passes through, file by file.

::

    submission ──► execute ───────────────────────────────► gradebook ──► feedback, report
                   │ its cells           │ the tests' cells
                   sandbox, walls        │
                   answer, cells ◄─wire─ channel ◄── parts
                   untrusted process     trusted kernel

The student's cells run in `answer`, a process that `sandbox` shuts in (`walls`, `syscalls`): no network, nothing of
the grader's to read, bounded in every direction. The tests never enter it. They run in a kernel of their own, hold a
`channel.Student`, and ask it for values: numbers, text and arrays cross (`wire`), never objects. `execute` takes
nbgrader through both. `variant` and `parts` say what is asked and what it earns; `course`, `grade`, `feedback` and
`report` are the teacher's commands, collected in `cli`.
"""
