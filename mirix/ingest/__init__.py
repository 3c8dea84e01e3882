"""What comes in: inputs, evidence, batches, pictures and files."""
