"""The homework's grader: what a submission passes through, file by file.

::

    submission ──► execute ───────────────────────────────► gradebook ──► feedback, report
                   │ its cells           │ the tests' cells
                   sandbox, walls        │
                   answer, cells ◄─wire─ channel ◄── parts, results, network ◄── drawn
                   untrusted process     trusted kernel

The student's cells run in `answer`, a process that `sandbox` shuts in (`walls`, `syscalls`): no network, nothing of
the grader's to read, bounded in every direction; what of the package answers the homework, `withheld` stands for, and
`training` counts the steps. The tests never enter it. They run in a kernel of their own, hold a `channel.Student`, and
ask it for values: numbers, text and arrays cross (`wire`), never objects. `execute` takes nbgrader through both.

`parts` and `results` say what is asked and what it earns, `drawn` draws the questions from the secret of the class, and
`network` asks whether a network was trained and the samples are its own. `answers` and `similar` find copies, `leaks`
what must not be given out. `course`, `grade`, `feedback`, `report` and `lms` are the teacher's commands, collected in
`cli`.
"""
