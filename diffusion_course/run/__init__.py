"""What touches files and the shell: the command line, checkpoints and weights, logs, the quality table."""
