"""What does the paper say of its case study, and what is found here? Experiments, statements, figures, a page."""
