"""The walls around the student's process, and the watch over it."""
