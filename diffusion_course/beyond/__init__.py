"""What the notebooks under `notebooks/beyond` add: exact likelihoods, transformers, pictures from words."""
