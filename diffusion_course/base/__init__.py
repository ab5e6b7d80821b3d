"""What the route stands on and its reader may take for granted: number formats, files, words, figures, the clock."""
