"""From a submission to a record: its cells run in the sandbox, and the tests ask it for answers from outside."""
