"""What a lesson shows and touches: widgets, quiz, pixel editor, drawings."""
