"""What was handed in: whose it is, when it came, and the notebook in a form that can be graded."""
