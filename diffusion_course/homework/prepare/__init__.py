"""Before the students begin: a course directory, their version of the notebook, the solution."""
