"""The student's process: all of the grader that the sandbox shows, and nothing that it trusts."""
