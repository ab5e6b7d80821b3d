"""The homework's kit: what a submission passes through, folder by folder.

::

    prepare ──► collect ──► grading ──────────────► report
    the class,  whose it    its cells ─► sandbox    who stands where,
    the task    is, when    its tests ─► spiral     pages, tables, pairs
                                         solvers

`prepare` makes a course directory (`course`), the students' notebook and the solution. `collect` finds what was handed
in. `grading` runs the cells in a process that `sandbox` shuts in: no network, nothing of the grader's to read but
`inside`, bounded in every direction. The tests never enter it: `spiral` or `solvers`, one of the `assignments`, says
what is asked and what it earns, and asks a `grading.channel.Student` for values; numbers, text and arrays cross
(`inside.wire`), never objects. `report` tells students and teacher what was found. `cli` is the way in.
"""

import sys

# nbformat loads jsonschema, which would spend two seconds, in every process that grades, on the grammar of addresses
# in other alphabets: no notebook is checked for them.
sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]
