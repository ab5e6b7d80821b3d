"""After the grading: who stands where, the pages for the students, the tables and the page for the teacher."""
